import { type BatchWriter, createBatchWriter } from '../../lib/batch-writer.ts';
import type { Database } from '../../platform/db/database.ts';
import { isUnavailable } from '../../platform/db/db.errors.ts';
import { type Accepted, type AcceptInput, acceptMessage, acceptMessageIn } from './accept-message.ts';

/** Stores a message; see {@link acceptMessage}. Durable when it resolves. */
export type Accept = (input: AcceptInput) => Promise<Accepted>;

/** So that a commit stays a matter of milliseconds. */
const BATCH = 64;

/**
 * Messages of one account that come while others of it are being stored share a transaction: begin, scope and commit
 * cost more than the message itself. One that comes alone is stored at once, in a transaction of its own.
 */
export function createAcceptWriter(database: Database): Accept {
  const writers = new Map<string, { writer: BatchWriter<AcceptInput, Accepted>; waiting: number }>();

  return async (input) => {
    const scope = `${input.accountId}/${input.mode}`;
    const entry = writers.get(scope) ?? { writer: newWriter(database), waiting: 0 };
    writers.set(scope, entry);
    entry.waiting++;
    try {
      return await entry.writer.write(input);
    } finally {
      entry.waiting--;
      if (entry.waiting === 0) writers.delete(scope);
    }
  };
}

function newWriter(database: Database): BatchWriter<AcceptInput, Accepted> {
  return createBatchWriter({
    maxSize: BATCH,
    writeBatch: (batch) => storeTogether(database, batch),
    isFaultOfItems: (error) => !isUnavailable(error),
  });
}

async function storeTogether(database: Database, batch: readonly AcceptInput[]): Promise<Accepted[]> {
  const [first, ...others] = batch;
  if (first === undefined) return [];
  if (others.length === 0) return [await acceptMessage(database, first)];
  const { accountId, mode } = first;
  // They leave together, and Postgres takes them in this order.
  return database.account({ accountId, mode }, (tx) =>
    Promise.all(batch.map((input) => acceptMessageIn(tx, input))),
  );
}
