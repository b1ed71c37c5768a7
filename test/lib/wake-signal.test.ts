import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { WakeSignal } from '../../src/lib/wake-signal.ts';

const never = new AbortController().signal;

/** Whether the promise is settled once everything that is due has run. */
async function isOver(promise: Promise<void>): Promise<boolean> {
  let over = false;
  void promise.then(() => {
    over = true;
  });
  await new Promise(setImmediate);
  return over;
}

describe('a wake signal', () => {
  it('wakes who waits', async () => {
    const wake = new WakeSignal();
    const waiting = wake.wait(never);
    await expect(isOver(waiting)).resolves.toBe(false);
    wake.raise();
    await expect(isOver(waiting)).resolves.toBe(true);
  });

  it('raised while nobody waits, is kept for the next wait, and for that one only', async () => {
    const wake = new WakeSignal();
    wake.raise();
    wake.raise();
    await expect(isOver(wake.wait(never))).resolves.toBe(true);
    await expect(isOver(wake.wait(never))).resolves.toBe(false);
  });

  it('raised in the turn in which a wait ends, is not lost', async () => {
    const wake = new WakeSignal();
    const waiting = wake.wait(never);
    wake.raise();
    await waiting;
    wake.raise();
    await expect(isOver(wake.wait(never))).resolves.toBe(true);
  });

  it('ends a wait when the abort signal does, before or after', async () => {
    const wake = new WakeSignal();
    const stop = new AbortController();
    const waiting = wake.wait(stop.signal);
    stop.abort();
    await expect(isOver(waiting)).resolves.toBe(true);
    await expect(isOver(wake.wait(stop.signal))).resolves.toBe(true);
  });

  it('raised, is still raised after a wait that was aborted', async () => {
    const wake = new WakeSignal();
    const stop = new AbortController();
    const waiting = wake.wait(stop.signal);
    stop.abort();
    wake.raise();
    await waiting;
    await expect(isOver(wake.wait(never))).resolves.toBe(true);
  });

  it('leaves no listener on a signal that lives long', async () => {
    const wake = new WakeSignal();
    const { signal } = new AbortController();
    for (let i = 0; i < 20; i++) {
      const waiting = wake.wait(signal);
      wake.raise();
      await waiting;
    }
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});
