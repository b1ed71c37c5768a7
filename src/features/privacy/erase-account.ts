import type { Clock } from '../../lib/clock.ts';
import { toId } from '../../lib/ids.ts';
import type { Database } from '../../platform/db/database.ts';
import type { Files } from '../../platform/files/files.ts';
import type { Log } from '../../platform/log/log.ts';
import { findDueErasures } from './closures.system.ts';
import * as system from './erasure.system.ts';

export interface ErasureParts {
  database: Database;
  files: Pick<Files, 'list' | 'delete'>;
  /** Folders that hold an account's files. */
  foldersOf: (accountId: string) => readonly string[];
  /** Ends what would go on elsewhere without us, such as a paid subscription. Called again until it succeeds. */
  settle: (accountId: string) => Promise<void>;
  clock: Clock;
  log: Log;
  /** Ends the work between two steps; the next sweep goes on. */
  signal?: AbortSignal | undefined;
}

/** Rows of each table in one transaction. */
const ROWS = 5_000;
/** How long workers may take to log sessions out before their credentials go regardless. */
const LOGOUT_MS = 3_600_000;

/**
 * Erases every account whose time has come. Safe to run again, also after a crash in the middle.
 * @returns how many wait for their sessions to be logged out
 * @throws AggregateError at the end, where some could not be erased: they keep no other waiting
 */
export async function eraseDueAccounts(parts: ErasureParts): Promise<number> {
  const due = await parts.database.systemOnce((tx) => findDueErasures(tx, parts.clock.now()));
  let waiting = 0;
  const failures: unknown[] = [];
  for (const accountId of due) {
    parts.signal?.throwIfAborted();
    try {
      if (!(await eraseAccount(parts, accountId))) waiting++;
    } catch (error) {
      parts.signal?.throwIfAborted();
      failures.push(error);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, 'accounts that could not be erased');
  return waiting;
}

/** @returns false where it waits for its sessions */
async function eraseAccount(parts: ErasureParts, accountId: string): Promise<boolean> {
  const { database, clock, log } = parts;
  const now = clock.now();
  const begun = await database.systemOnce((tx) => system.beginErasure(tx, accountId, now));
  if (begun === undefined) return true;
  const waited = now.getTime() - begun.since.getTime();
  if (begun.sessions > 0 && waited < LOGOUT_MS) {
    log.info({ sessions: begun.sessions }, 'erasure waits for sessions to be logged out');
    return false;
  }
  await parts.settle(accountId);
  await database.systemOnce((tx) => system.destroyDataKey(tx, accountId));
  const files = await eraseFiles(parts, accountId);
  const deleted = await eraseRows(parts, accountId);
  const receipt = await database.system((tx) => system.finishErasure(tx, accountId, deleted));
  log.info({ erasure: toId('accountClosure', receipt), files, deleted }, 'account erased');
  return true;
}

async function eraseFiles({ files, foldersOf }: ErasureParts, accountId: string): Promise<number> {
  let count = 0;
  for (const folder of foldersOf(accountId)) {
    for (const { key } of await files.list(folder)) {
      await files.delete(key);
      count++;
    }
  }
  return count;
}

async function eraseRows(
  { database, signal }: ErasureParts,
  accountId: string,
): Promise<Record<string, number>> {
  const total: Record<string, number> = {};
  for (;;) {
    signal?.throwIfAborted();
    const deleted = Object.entries(await database.system((tx) => system.eraseRows(tx, accountId, ROWS)));
    if (deleted.length === 0) return total;
    for (const [table, count] of deleted) total[table] = (total[table] ?? 0) + count;
  }
}
