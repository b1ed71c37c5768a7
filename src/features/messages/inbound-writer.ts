import { createBatchWriter } from '../../lib/batch-writer.ts';
import type { Clock } from '../../lib/clock.ts';
import type { NewUuid } from '../../lib/ids.ts';
import type { AccountCipher, Vault } from '../../platform/crypto/vault.ts';
import type { Database } from '../../platform/db/database.ts';
import { isUnavailable } from '../../platform/db/db.errors.ts';
import type { InboundMessage } from '../../whatsapp/socket.ts';
import { type InboundRow, storeInbound } from './inbound.system.ts';
import type { LaneHold } from './lane.service.ts';
import { sealContent, toStoredContent } from './message-content.ts';
import { holdKey } from './progress.system.ts';

const BATCH = 100;

interface InboundParts {
  database: Database;
  vault: Vault;
  newUuid: NewUuid;
  clock: Clock;
  onFact: (accountId: string) => void;
}

/** Commits inbound messages, batched over all sessions of the process. */
export function createInboundWriter(parts: InboundParts) {
  const writer = createBatchWriter<InboundRow, boolean>({
    maxSize: BATCH,
    writeBatch: storeBatch,
    isFaultOfItems: (error) => !isUnavailable(error),
  });

  async function storeBatch(rows: readonly InboundRow[]): Promise<boolean[]> {
    // One row a message: WhatsApp may repeat one within a batch.
    const distinct = new Map(rows.map((row) => [`${holdKey(row)}/${row.wireId}`, row]));
    const { held, accounts } = await parts.database.systemOnce((tx) =>
      storeInbound(tx, [...distinct.values()]),
    );
    for (const account of new Set(accounts)) parts.onFact(account);
    return rows.map((row) => held.has(holdKey(row)));
  }

  return {
    /** Resolves once every message is committed. @throws Error when the lease has moved on. */
    async receive(hold: LaneHold, messages: readonly InboundMessage[]): Promise<void> {
      const cipher = await parts.vault.of(hold.accountId);
      const held = await Promise.all(
        messages.map((message) => writer.write(toRow(hold, message, cipher, parts))),
      );
      if (held.includes(false)) throw new Error('the session is held by another worker');
    },
  };
}

function toRow(
  hold: LaneHold,
  message: InboundMessage,
  cipher: AccountCipher,
  { newUuid, clock }: Pick<InboundParts, 'newUuid' | 'clock'>,
): InboundRow {
  // The time before the id: who lists from a message's time on gets that message.
  const arrivedAt = clock.now();
  const id = newUuid();
  return {
    id,
    eventId: newUuid(),
    sessionId: hold.sessionId,
    epoch: hold.epoch,
    fromMe: message.fromMe,
    phone: message.chat.phone,
    lid: message.chat.lid,
    // Names are the sender's to choose, and Postgres stores no NUL.
    name: message.pushName?.replaceAll('\0', ''),
    type: message.content.type,
    sealedContent: sealContent(toStoredContent(message.content), id, cipher),
    quotedWireId: message.quotedWireId,
    wireId: message.wireId,
    sentAt: message.sentAt,
    arrivedAt,
  };
}
