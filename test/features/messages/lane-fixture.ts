import { randomBytes } from 'node:crypto';
import type { LaneHold } from '../../../src/features/messages/lane.service.ts';
import { sealContent } from '../../../src/features/messages/message-content.ts';
import { type MessageRow, newWireId } from '../../../src/features/messages/messages.model.ts';
import { newUuid } from '../../../src/lib/ids.ts';
import type { Database } from '../../../src/platform/db/database.ts';
import { databaseErrors } from '../../../src/platform/db/db.errors.ts';
import { seedAccount, seedSession, type TestDatabase } from '../../support/database.ts';

/** A session held by a worker under epoch 1, for an account of its own unless one is given. */
export async function seedHold(db: TestDatabase, account?: string): Promise<LaneHold> {
  const accountId = account ?? (await seedAccount(db));
  const sessionId = await seedSession(db, accountId);
  await db.owner.query(
    `update session_leases set owner = $2, epoch = 1, expires_at = now() + interval '1 hour' where session_id = $1`,
    [sessionId, newUuid()],
  );
  return { sessionId, accountId, mode: 'test', epoch: 1 };
}

/** Another worker takes the session. */
export async function moveLease(db: TestDatabase, hold: LaneHold): Promise<LaneHold> {
  const moved = { ...hold, epoch: hold.epoch + 1 };
  await db.owner.query('update session_leases set epoch = $2 where session_id = $1', [
    hold.sessionId,
    moved.epoch,
  ]);
  return moved;
}

/** Stores a message of the session, queued and outbound unless said otherwise. */
export async function seedMessage(
  db: TestDatabase,
  hold: LaneHold,
  {
    body = 'hello',
    ...more
  }: Partial<Omit<MessageRow, 'content'>> & { body?: string; not_before?: Date } = {},
): Promise<MessageRow> {
  const id = newUuid();
  const cipher = await db.vault.of(hold.accountId);
  const row: Record<string, unknown> = {
    ...{ id, account_id: hold.accountId, mode: hold.mode, session_id: hold.sessionId, direction: 'outbound' },
    ...{ contact_phone: '919876543210', type: 'text', wire_id: newWireId(randomBytes), status: 'queued' },
    ...{ accepted_at: new Date(), content: sealContent({ text: { body } }, id, cipher) },
    ...more,
  };
  const columns = Object.keys(row);
  const { rows } = await db.owner.query<MessageRow>(
    `insert into messages (${columns.join(', ')}) values (${columns.map((_, i) => `$${i + 1}`).join(', ')}) returning *`,
    Object.values(row),
  );
  const [stored] = rows;
  if (stored === undefined) throw new Error('nothing was inserted');
  return stored;
}

export async function messageNow(
  db: TestDatabase,
  id: string,
): Promise<MessageRow & { not_before: Date | null }> {
  const { rows } = await db.owner.query<MessageRow & { not_before: Date | null }>(
    'select * from messages where id = $1',
    [id],
  );
  const [row] = rows;
  if (row === undefined) throw new Error(`no message ${id}`);
  return row;
}

/** Types of the message's facts, in the order announced. */
export async function factsOf(db: TestDatabase, messageId: string): Promise<string[]> {
  const { rows } = await db.owner.query<{ type: string }>(
    'select type from events where message_id = $1 order by id',
    [messageId],
  );
  return rows.map(({ type }) => type);
}

/** The database as seen over a link that the test cuts. Counts the transactions that went through, and that did not. */
export interface Cuttable extends Database {
  isCut: boolean;
  transactions: number;
  refusals: number;
  /** Transactions that have not ended, which a cut lets through. */
  underWay: number;
}

export function cuttable(database: Database): Cuttable {
  const link = {
    isCut: false,
    transactions: 0,
    refusals: 0,
    underWay: 0,
    account: through(database.account),
    accountOnce: through(database.accountOnce),
    system: through(database.system),
    systemOnce: through(database.systemOnce),
  };
  function through<Args extends unknown[], T>(run: (...args: Args) => Promise<T>) {
    return async (...args: Args): Promise<T> => {
      if (link.isCut) {
        link.refusals++;
        throw databaseErrors.unavailable();
      }
      link.transactions++;
      link.underWay++;
      return run(...args).finally(() => link.underWay--);
    };
  }
  // Generic methods lose their type parameters in `through`.
  return link as unknown as Cuttable;
}
