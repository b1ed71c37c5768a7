import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  comparePositions,
  matchesFilter,
  parseTypeFilter,
} from '../../../src/features/events/events.model.ts';
import { showMessageData } from '../../../src/features/events/show-event.ts';
import { newUuid, toId } from '../../../src/lib/ids.ts';

const position = fc.record({ txid: fc.bigInt(0n, 2n ** 64n - 1n).map(String), id: fc.uuid() });

describe('positions', () => {
  it('have one order, by transaction and then by id', () => {
    fc.assert(
      fc.property(position, position, position, (a, b, c) => {
        expect(Math.sign(comparePositions(a, b))).toBe(-Math.sign(comparePositions(b, a)) || 0);
        expect(comparePositions(a, a)).toBe(0);
        if (comparePositions(a, b) <= 0 && comparePositions(b, c) <= 0) {
          expect(comparePositions(a, c)).toBeLessThanOrEqual(0);
        }
      }),
    );
    const id = newUuid();
    expect(comparePositions({ txid: '9', id }, { txid: '10', id })).toBe(-1);
  });
});

describe('a filter of types', () => {
  it.each([
    ['message.*', ['message.read', 'message.received'], ['session.status', 'messages.read']],
    ['message.read, session.status', ['message.read', 'session.status'], ['message.reads']],
    ['session.*', ['session.status'], ['message.read']],
  ])('%s', (text, through, held) => {
    const types = parseTypeFilter(text);
    const passes = (type: string) => matchesFilter({ type, session_id: null, message_id: null }, { types });
    expect(through.map(passes)).toEqual(through.map(() => true));
    expect(held.map(passes)).toEqual(held.map(() => false));
  });

  it.each(['', '*', 'message.*.x', 'Message', 'a..b', 'message.%', 'a,,b'])('is not %j', (text) => {
    expect(parseTypeFilter(text)).toBeUndefined();
  });
});

describe('a message event', () => {
  const message = {
    id: 'msg_1',
    text: { body: 'hi' },
    status: 'read',
    error: null,
    timestamps: {
      queued: '2026-01-01T00:00:00.000Z',
      sent: '2026-01-01T00:00:01.000Z',
      read: '2026-01-01T00:00:09.000Z',
    },
  };

  it('shows the message as it was: status, times and error of that moment, content as it is', () => {
    const data = { status: 'sent', sent_at: '2026-01-01T00:00:01+00:00' };
    const shown = showMessageData({ type: 'message.sent', data }, newUuid(), message);
    expect(shown).toEqual({
      id: 'msg_1',
      text: { body: 'hi' },
      status: 'sent',
      error: null,
      timestamps: { queued: '2026-01-01T00:00:00.000Z', sent: '2026-01-01T00:00:01.000Z' },
    });
  });

  it('shows why a message failed', () => {
    const data = {
      status: 'failed',
      failed_at: '2026-01-01T00:00:02Z',
      error_code: 'message.x',
      wire_code: 463,
    };
    const shown = showMessageData({ type: 'message.failed', data }, newUuid(), message);
    expect(shown).toMatchObject({
      status: 'failed',
      error: { code: 'message.x', detail: null, whatsapp_code: 463 },
    });
  });

  it('of a message that is gone keeps its id, status and times', () => {
    const message_id = newUuid();
    const data = { status: 'delivered', delivered_at: '2026-01-01T00:00:02Z' };
    expect(showMessageData({ type: 'message.delivered', data }, message_id, undefined)).toEqual({
      id: toId('message', message_id),
      status: 'delivered',
      error: null,
      timestamps: { delivered: '2026-01-01T00:00:02.000Z' },
    });
  });
});
