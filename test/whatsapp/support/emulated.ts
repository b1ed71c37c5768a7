import { afterAll, afterEach, beforeAll } from 'vitest';
import { type RunningEmulator, startEmulator } from '../../../src/emulator/start.ts';
import { Control, type ControlMessage } from '../../emulator/support/control.ts';
import { until } from '../../emulator/support/until.ts';
import { TestSession } from './linked-session.ts';
import type { MemoryKeyStore } from './memory-key-store.ts';

let nextNumber = 4_915_550_000_000;

/** A number that no other test uses. */
export function freshNumber(): string {
  return String(++nextNumber);
}

/** An emulator for the tests of one file, and sessions that are closed after each. */
export function emulated() {
  let emulator: RunningEmulator | undefined;
  let control: Control | undefined;
  const sessions: TestSession[] = [];

  beforeAll(async () => {
    emulator = await startEmulator({ host: '127.0.0.1', port: 0, controlPort: 0, controlToken: 'secret' });
    control = new Control(emulator);
  });
  afterEach(async () => {
    await control?.clearFaults();
    await Promise.all(sessions.splice(0).map(async (session) => session.socket?.close()));
  });
  afterAll(() => emulator?.close());

  const running = () => {
    if (emulator === undefined || control === undefined) throw new Error('the emulator is not running');
    return { emulator, control };
  };
  return {
    get control(): Control {
      return running().control;
    },
    get emulator(): RunningEmulator {
      return running().emulator;
    },
    session(
      ...more: [store?: MemoryKeyStore, times?: { connectTimeoutMs?: number; ackTimeoutMs?: number }]
    ): TestSession {
      const session = new TestSession(running().emulator, ...more);
      sessions.push(session);
      return session;
    },
    /** A session linked to a fresh number. */
    async linked(times?: { connectTimeoutMs?: number; ackTimeoutMs?: number }) {
      const session = this.session(undefined, times);
      const phone = freshNumber();
      const socket = await session.link(running().control, phone);
      return { session, socket, phone };
    },
    /** What a phone received, once it received so many. */
    arrived(phone: string, count: number, timeoutMs?: number): Promise<ControlMessage[]> {
      const ask = async () => {
        const inbox = (await running().control.messages(phone)).filter(({ direction }) => direction === 'in');
        return inbox.length >= count && inbox;
      };
      return until(ask, `${count} messages at ${phone}`, timeoutMs);
    },
  };
}
