import type { Clock } from '../../lib/clock.ts';
import type { NewUuid } from '../../lib/ids.ts';
import type { Mode } from '../../lib/mode.ts';
import type { AccountCipher, Vault } from '../../platform/crypto/vault.ts';
import type { Database } from '../../platform/db/database.ts';
import type { InboundMessage, MessageContent, OutgoingMessage } from '../../whatsapp/socket.ts';
import { createInboundWriter } from './inbound-writer.ts';
import * as system from './lane.system.ts';
import { openContent, toWireContent } from './message-content.ts';
import { createProgressWriter, type ProgressWriter } from './progress-writer.ts';

/** The hold under which a lane works; see `sessions-pool`. */
export interface LaneHold {
  sessionId: string;
  accountId: string;
  mode: Mode;
  epoch: number;
}

/** A message ready to be put on the wire. */
export interface QueuedMessage {
  id: string;
  wireId: string;
  phone: string;
  lid: string | undefined;
  attempts: number;
  acceptedAt: Date;
  content: MessageContent;
  quoted: OutgoingMessage['quoted'] | undefined;
}

/** What a lane needs of messages. Writes name the hold's epoch and change nothing once the lease moved on. */
export interface LaneMessages {
  /** Next messages in the order accepted, without those in flight. */
  take(hold: LaneHold, inFlight: readonly string[], limit: number): Promise<QueuedMessage[]>;
  /** Outcomes and receipts, written in the order given, a few milliseconds' worth at a time. */
  progress: ProgressWriter;
  /** Resolves once committed; rejects when it could not be, or when the lease has moved on. */
  receive(hold: LaneHold, messages: readonly InboundMessage[]): Promise<void>;
  /** Which of these wire ids are stored already. */
  known(hold: LaneHold, wireIds: readonly string[]): Promise<Set<string>>;
  /** Content of a message this session sent; `undefined` when retention dropped it. */
  loadSent(hold: LaneHold, wireId: string): Promise<MessageContent | undefined>;
  rememberIdentity(hold: LaneHold, identity: { phone: string; lid: string }): Promise<void>;
  /** WhatsApp refused a message after its send had ended. */
  refuse(
    hold: LaneHold,
    wireId: string,
    error: { code: string; detail: string; wireCode: number },
  ): Promise<void>;
  /** Fails what the session still had to send. */
  failQueued(hold: LaneHold, error: { code: string; detail: string }): Promise<void>;
}

export interface LaneMessagesDependencies {
  database: Database;
  vault: Vault;
  newUuid: NewUuid;
  clock: Clock;
  onFact: (accountId: string) => void;
}

export function createLaneMessages(deps: LaneMessagesDependencies): LaneMessages {
  const { database, vault, newUuid, onFact } = deps;
  const inbound = createInboundWriter(deps);
  const progress = createProgressWriter(deps);

  return {
    progress,
    receive: inbound.receive,

    take: (hold, inFlight, limit) => takeMessages({ ...deps, progress }, hold, inFlight, limit),

    known: (hold, wireIds) => database.systemOnce((tx) => system.findKnown(tx, hold.sessionId, wireIds)),

    async loadSent(hold, wireId) {
      const row = await database.systemOnce((tx) => system.findSent(tx, hold.sessionId, wireId));
      if (row === undefined || row.content === null) return undefined;
      return toWireContent(openContent(row.content, row.id, await vault.of(hold.accountId)));
    },

    rememberIdentity: (hold, identity) =>
      database.systemOnce((tx) => system.rememberIdentity(tx, hold, identity)),

    async refuse(hold, wireId, error) {
      const row = await database.systemOnce((tx) => system.findSent(tx, hold.sessionId, wireId));
      if (row === undefined) return;
      const { code: errorCode, detail: errorDetail, wireCode } = error;
      const { sessionId, epoch } = hold;
      const outcome = { id: row.id, sessionId, epoch, status: 'failed', at: deps.clock.now() } as const;
      await progress.write({ kind: 'outcome', ...outcome, errorCode, errorDetail, wireCode });
    },

    async failQueued(hold, error) {
      const any = await database.system((tx) => system.failQueued(tx, hold, error, newUuid));
      if (any) onFact(hold.accountId);
    },
  };
}

async function takeMessages(
  parts: Pick<LaneMessagesDependencies, 'database' | 'vault' | 'clock'> & Pick<LaneMessages, 'progress'>,
  hold: LaneHold,
  inFlight: readonly string[],
  limit: number,
): Promise<QueuedMessage[]> {
  const { sessionId, epoch, accountId } = hold;
  for (;;) {
    const rows = await parts.database.systemOnce((tx) =>
      system.takeQueued(tx, { sessionId, epoch, inFlight, limit }),
    );
    if (rows.length === 0) return [];
    const empty = rows.filter((row) => !isSendable(row));
    await Promise.all(
      empty.map(({ id }) => parts.progress.write(contentExpired(hold, id, parts.clock.now()))),
    );
    // To a lane a short batch is the end of its queue: what failed here makes room for what follows.
    if (empty.length > 0) continue;
    const cipher = await parts.vault.of(accountId);
    return rows.filter(isSendable).map((row) => toQueued(row, cipher));
  }
}

/** Retention dropped what the message said before it could be sent. */
function contentExpired({ sessionId, epoch }: LaneHold, id: string, at: Date) {
  return {
    ...({ kind: 'outcome', id, sessionId, epoch, status: 'failed', at } as const),
    errorCode: 'message.content_expired',
    errorDetail: 'What the message said was dropped by the retention setting before it could be sent.',
  };
}

type SendableRow = system.QueuedRow & { content: Buffer; contact_phone: string };

function isSendable(row: system.QueuedRow): row is SendableRow {
  return row.content !== null && row.contact_phone !== null;
}

function toQueued(row: SendableRow, cipher: AccountCipher): QueuedMessage {
  return {
    id: row.id,
    wireId: row.wire_id,
    phone: row.contact_phone,
    lid: row.known_lid ?? undefined,
    attempts: row.attempts,
    acceptedAt: row.accepted_at,
    content: toWireContent(openContent(row.content, row.id, cipher)),
    quoted: quotedOf(row, cipher),
  };
}

function quotedOf(row: system.QueuedRow, cipher: AccountCipher): OutgoingMessage['quoted'] | undefined {
  if (row.context_wire_id === null) return undefined;
  const fromMe = row.quoted_direction === 'outbound';
  const author = {
    ...(row.quoted_phone && { phone: row.quoted_phone }),
    ...(row.quoted_lid && { lid: row.quoted_lid }),
  };
  const content = quotedContent(row, cipher);
  return { wireId: row.context_wire_id, fromMe, ...(fromMe ? {} : { author }), ...(content && { content }) };
}

function quotedContent(row: system.QueuedRow, cipher: AccountCipher): MessageContent | undefined {
  if (row.quoted_id === null || row.quoted_content === null || row.quoted_type !== 'text') return undefined;
  return toWireContent(openContent(row.quoted_content, row.quoted_id, cipher));
}
