import type { Context } from '../../platform/context.ts';
import type { Database } from '../../platform/db/database.ts';
import {
  addMissing,
  type EventPlace,
  lockMissing,
  type MissingBatch,
  type MissingRange,
  type ReplayBatch,
  type ReplayRange,
  replayBatch,
} from './replay.store.ts';

/** Deliveries or events that one transaction looks at, so that a replay of any size never holds many rows. */
const BATCH = 5_000;

export interface ReplayInput extends ReplayRange {
  /** Also events that the endpoint wants and has no delivery of; `since` must then be said. */
  includeMissing: boolean;
}

/** How many deliveries a replay touched. */
export interface Replayed {
  /** Finished ones that start again from their first try. */
  replayed: number;
  /** Waiting ones that are due now. */
  hurried: number;
  /** New ones, of events that had none. */
  created: number;
}

/**
 * Sends deliveries of an endpoint again, in batches of a transaction each: should one fail, what was replayed before
 * stays replayed, and the same call goes on with the rest.
 */
export async function replayDeliveries(
  database: Database,
  ctx: Context,
  { includeMissing, ...range }: ReplayInput,
): Promise<Replayed> {
  const done: Replayed = { replayed: 0, hurried: 0, created: 0 };
  let after: string | undefined;
  do {
    const page = { after, limit: BATCH };
    const batch: ReplayBatch = await database.accountOnce(ctx, (tx) => replayBatch(tx, range, page));
    done.replayed += batch.replayed;
    done.hurried += batch.hurried;
    after = batch.next;
  } while (after !== undefined);
  const { endpointId, since, until } = range;
  if (includeMissing && since !== undefined) {
    done.created = await createMissing(database, ctx, { endpointId, since, until });
  }
  return done;
}

async function createMissing(database: Database, ctx: Context, range: MissingRange): Promise<number> {
  let created = 0;
  let after: EventPlace | undefined;
  do {
    const page = { after, limit: BATCH };
    const batch: MissingBatch = await database.account(ctx, async (tx) => {
      await lockMissing(tx, range.endpointId);
      return addMissing(tx, range, page);
    });
    created += batch.created;
    after = batch.next;
  } while (after !== undefined);
  return created;
}
