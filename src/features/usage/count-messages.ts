import type { Clock } from '../../lib/clock.ts';
import type { Database } from '../../platform/db/database.ts';
import { type CountedScope, countMessages, findUncounted, noteCounted, openCursor } from './usage.system.ts';

/** Facts a transaction. */
const BATCH = 20_000;
/** Batches that somebody who asks waits for; what is left then is for the job. */
const BATCHES_ON_READ = 5;

type Counting = Pick<Database, 'systemOnce'>;

/** Counts what an account's messages came to since the last time, so that the numbers it is about to read are of now. */
export async function catchUp(
  database: Counting,
  scope: CountedScope,
  mostBatches = BATCHES_ON_READ,
): Promise<void> {
  for (let batches = 0; batches < mostBatches; batches++) {
    const { read, open } = await database.systemOnce((tx) => countMessages(tx, scope, BATCH));
    if (open && read < BATCH) return;
    if (!open) await database.systemOnce((tx) => openCursor(tx, scope));
  }
}

/** Counts for every account that has something new. */
export async function countForAll(parts: {
  database: Counting;
  clock: Clock;
  signal: AbortSignal;
}): Promise<void> {
  const { database, clock, signal } = parts;
  const began = clock.now();
  for (const scope of await database.systemOnce(findUncounted)) {
    if (signal.aborted) return;
    await catchUp(database, scope, Number.POSITIVE_INFINITY);
  }
  await database.systemOnce((tx) => noteCounted(tx, began));
}
