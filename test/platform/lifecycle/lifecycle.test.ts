import { describe, expect, it } from 'vitest';
import { createLifecycle } from '../../../src/platform/lifecycle/lifecycle.ts';
import { createLog } from '../../../src/platform/log/log.ts';

const world = () => {
  const lines: { msg: string; part?: string }[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  return { lifecycle: createLifecycle(createLog({ level: 'debug', format: 'json', destination })), lines };
};

describe('a lifecycle', () => {
  it('closes parts in the reverse of the order in which they opened, one after the other', async () => {
    const { lifecycle } = world();
    const steps: string[] = [];
    for (const name of ['database', 'queue', 'http']) {
      const part = await lifecycle.open(name, () => name, {
        close: async (opened) => {
          steps.push(`closing ${opened}`);
          await new Promise((resolve) => setTimeout(resolve, 5));
          steps.push(`closed ${opened}`);
        },
      });
      expect(part).toBe(name);
    }
    expect(await lifecycle.close('test')).toBe(true);
    expect(steps).toEqual(
      ['http', 'queue', 'database'].flatMap((name) => [`closing ${name}`, `closed ${name}`]),
    );
  });

  it('goes on past a part that fails and a part that hangs, and says so', async () => {
    const { lifecycle, lines } = world();
    let databaseClosed = false;
    await lifecycle.open('database', () => 0, { close: () => (databaseClosed = true) });
    await lifecycle.open('hanging', () => 0, { close: () => new Promise(() => {}), timeoutMs: 20 });
    await lifecycle.open('failing', () => 0, { close: () => Promise.reject(new Error('no')) });
    expect(await lifecycle.close('test')).toBe(false);
    expect(databaseClosed).toBe(true);
    expect(lines).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ msg: 'closing took too long', part: 'hanging' }),
        expect.objectContaining({ msg: 'closing failed', part: 'failing' }),
      ]),
    );
  });

  it('aborts its signal first, and closes once however often it is asked', async () => {
    const { lifecycle } = world();
    let closes = 0;
    let abortedBefore = false;
    await lifecycle.open('one', () => 0, {
      close: () => {
        closes += 1;
        abortedBefore = lifecycle.signal.aborted;
      },
    });
    await Promise.all([lifecycle.close('first'), lifecycle.close('second')]);
    expect({ closes, abortedBefore }).toEqual({ closes: 1, abortedBefore: true });
  });

  it('opens nothing once closing has begun, and closes what was still opening', async () => {
    const { lifecycle } = world();
    let finishOpening = () => {};
    let closed = false;
    const opening = lifecycle.open('slow', () => new Promise<void>((resolve) => (finishOpening = resolve)), {
      close: () => (closed = true),
    });
    await lifecycle.close('test');
    finishOpening();
    await expect(opening).rejects.toThrow('shutting down: test');
    expect(closed).toBe(true);
    await expect(lifecycle.open('late', () => 0, { close: () => {} })).rejects.toThrow('shutting down: test');
  });
});
