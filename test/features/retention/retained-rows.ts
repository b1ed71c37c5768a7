import { newUuid } from '../../../src/lib/ids.ts';
import type { TestDatabase } from '../../support/database.ts';

/** A UUIDv7 of so many days ago. */
export function uuidAged(days: number): string {
  const ms = Date.now() - days * 86_400_000;
  const hex = ms.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}${newUuid().slice(13)}`;
}

/** Partitions of the weeks that an old row falls into, as if the program had run then. */
export async function makeOldPartitions({ owner }: TestDatabase, table: string, days: number): Promise<void> {
  await owner.query(`call app.make_partitions($1::regclass, current_date - $2::int, current_date)`, [
    table,
    days,
  ]);
}

export async function seedMessage(
  { owner }: TestDatabase,
  accountId: string,
  message: { days?: number; mode?: string; status?: string; session?: string; direction?: string } = {},
): Promise<string> {
  const id = uuidAged(message.days ?? 0);
  const { mode = 'test', status = 'delivered', session = newUuid(), direction = 'outbound' } = message;
  await owner.query(
    `insert into messages (id, account_id, mode, session_id, direction, type, wire_id, status, accepted_at, sending_at,
       contact_phone, content)
     values ($1, $2, $3, $4, $5, 'text', 'wire', $6, now(), now(), '919876543210', 'sealed')`,
    [id, accountId, mode, session, direction, status],
  );
  return id;
}

export async function contentOf(
  { owner }: TestDatabase,
  messageId: string,
): Promise<string | null | undefined> {
  const { rows } = await owner.query('select content from messages where id = $1', [messageId]);
  return rows[0] === undefined ? undefined : (rows[0].content?.toString() ?? null);
}
