import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { acknowledgementKey, DeliveryQueue } from '../../src/emulator/network/delivery-queue.ts';
import { scopedState } from '../../src/emulator/network/scoped-state.ts';
import { element } from '../../src/emulator/wire/node.ts';
import { emulationAt } from './support/emulation.ts';

describe('a delivery queue', () => {
  it('keeps what is not acknowledged, in order, also under equal ids', async () => {
    const emulation = await emulationAt({ ms: 0 });
    const step = fc.record({
      id: fc.constantFrom('a', 'b', 'c'),
      tag: fc.constantFrom('message', 'receipt'),
      isAck: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const state = scopedState(emulation.store, '', () => false);
        const queue = new DeliveryQueue(emulation, state, 'queue/1/1');
        let model: string[] = [];
        for (const { id, tag, isAck } of steps) {
          const key = acknowledgementKey(tag, { id });
          if (!isAck) {
            queue.add(element(tag, { id }));
            model.push(key);
          } else {
            const oldest = model.indexOf(key);
            expect(queue.acknowledge(key) !== undefined).toBe(oldest >= 0);
            model = model.filter((_, at) => at !== oldest);
          }
        }
        const waiting = queue.waiting().map(({ node }) => acknowledgementKey(node.tag, node.attrs));
        expect(waiting).toEqual(model);
      }),
    );
  });

  it('tells receipts of different types apart', () => {
    expect(acknowledgementKey('receipt', { id: '1', type: 'read' })).not.toBe(
      acknowledgementKey('receipt', { id: '1' }),
    );
    expect(acknowledgementKey('message', { id: '1', type: 'text' })).toBe(
      acknowledgementKey('message', { id: '1' }),
    );
  });
});

describe('faults', () => {
  it('strike whom they name, so often and so long as ordered', async () => {
    const clock = { ms: 1000 };
    const { faults } = await emulationAt(clock);
    faults.add({ kind: 'nack', code: 463, realm: 'a', times: 2 });
    faults.add({ kind: 'nack', code: 479, phone: '1', for_ms: 100 });
    const strike = (target: object) => faults.strike('nack', target)?.code;
    expect(strike({ realm: 'b' })).toBeUndefined();
    expect([strike({ realm: 'a' }), strike({ realm: 'a' }), strike({ realm: 'a' })]).toEqual([
      463,
      463,
      undefined,
    ]);
    expect(strike({ realm: 'b', phone: '1' })).toBe(479);
    clock.ms += 101;
    expect(strike({ realm: 'b', phone: '1' })).toBeUndefined();
    expect(faults.list()).toEqual([]);
  });

  it('choose by further conditions without being used up', async () => {
    const { faults } = await emulationAt({ ms: 0 });
    faults.add({ kind: 'drop_query', query: 'keys', times: 1 });
    expect(faults.strike('drop_query', {}, ({ query }) => query === 'usync')).toBeUndefined();
    expect(faults.strike('drop_query', {}, ({ query }) => query === 'keys')).toBeDefined();
  });
});
