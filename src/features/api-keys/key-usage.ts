import type { Clock } from '../../lib/clock.ts';
import type { Database } from '../../platform/db/database.ts';
import type { Log } from '../../platform/log/log.ts';
import { noteUses } from './api-keys.system.ts';

const FLUSH_EVERY_MS = 15_000;
/** More distinct keys than this are written at once rather than gathered. */
const MOST_GATHERED = 10_000;

/** Gathers when keys were used and writes it every 15 seconds, one statement for all. */
export interface KeyUsage {
  used(keyId: string): void;
  /** Writes what was gathered. What cannot be written is kept for the next time. */
  flush(): Promise<void>;
  /** Writes a last time and stops. */
  close(): Promise<void>;
}

export function createKeyUsage(deps: { database: Database; clock: Clock; log: Log }): KeyUsage {
  const { database, clock, log } = deps;
  let gathered = new Map<string, Date>();

  async function flush(): Promise<void> {
    if (gathered.size === 0) return;
    const uses = gathered;
    gathered = new Map();
    try {
      await database.systemOnce((tx) => noteUses(tx, uses));
    } catch (error) {
      log.warn({ err: error, keys: uses.size }, 'last use of keys not written, trying again later');
      gathered = new Map([...uses, ...gathered]);
    }
  }

  const timer = setInterval(() => void flush(), FLUSH_EVERY_MS);
  timer.unref();
  return {
    used(keyId) {
      gathered.set(keyId, clock.now());
      if (gathered.size > MOST_GATHERED) void flush();
    },
    flush,
    async close() {
      clearInterval(timer);
      await flush();
    },
  };
}
