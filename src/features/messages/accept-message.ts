import type { Mode } from '../../lib/mode.ts';
import type { Database } from '../../platform/db/database.ts';
import type { AccountTx } from '../../platform/db/scope.ts';

/** An idempotency record to store with the message: the answer (sealed) that a repeat of the request gets. */
export interface AcceptIdempotency {
  key: string;
  requestHash: Uint8Array;
  answerStatus: number;
  sealedAnswer: Uint8Array;
}

export interface AcceptInput {
  id: string;
  eventId: string;
  accountId: string;
  mode: Mode;
  sessionId: string;
  to: string;
  type: string;
  sealedContent: Uint8Array;
  contextMessageId: string | undefined;
  wireId: string;
  at: Date;
  idempotency: AcceptIdempotency | undefined;
  /** UUID of the trigger that wrote the message; `undefined` for one that somebody asked for. */
  triggerId: string | undefined;
}

export type AcceptOutcome =
  | 'accepted'
  | 'replayed'
  | 'key_reused'
  | 'in_progress'
  | 'session_not_found'
  | 'session_not_linked'
  | 'context_not_found'
  | 'quota_reached';

export interface Accepted {
  outcome: AcceptOutcome;
  /** Worker that holds the session. */
  owner: string | null;
  /** The session's status. */
  status: string | null;
  answer_status: number | null;
  answer: Buffer | null;
  /** WhatsApp's id of the quoted message. */
  context_wire_id: string | null;
}

/** Stores the message as `queued` with all that belongs to accepting it, in one round trip. Durable when it resolves. */
export async function acceptMessage(database: Database, input: AcceptInput): Promise<Accepted> {
  return database.accountOnce(input, (tx) => acceptMessageIn(tx, input));
}

/** The same as part of a transaction: the message is there once that is committed. */
export async function acceptMessageIn(tx: AccountTx, input: AcceptInput): Promise<Accepted> {
  const { idempotency, triggerId } = input;
  const [row] = await tx.query<Accepted>(
    'select * from app.accept_message($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)',
    [
      input.id,
      input.eventId,
      input.accountId,
      input.mode,
      input.sessionId,
      input.to,
      input.type,
      input.sealedContent,
      input.contextMessageId ?? null,
      input.wireId,
      input.at,
      idempotency?.key ?? null,
      idempotency?.requestHash ?? null,
      idempotency?.answerStatus ?? null,
      idempotency?.sealedAnswer ?? null,
      triggerId !== undefined,
      triggerId ?? null,
    ],
  );
  if (row === undefined) throw new Error('accept_message returned no row');
  return row;
}
