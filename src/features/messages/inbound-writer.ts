import DataLoader from 'dataloader';
import type { NewUuid } from '../../lib/ids.ts';
import type { Vault } from '../../platform/crypto/vault.ts';
import type { Database } from '../../platform/db/database.ts';
import type { InboundMessage } from '../../whatsapp/socket.ts';
import { type InboundRow, storeInbound } from './inbound.system.ts';
import type { LaneHold } from './lane.service.ts';
import { sealContent, toStoredContent } from './message-content.ts';

const BATCH = 100;

/** Commits inbound messages, batched over all sessions of the process. */
export function createInboundWriter(deps: {
  database: Database;
  vault: Vault;
  newUuid: NewUuid;
  onFact: (accountId: string) => void;
}) {
  const writes = new DataLoader<InboundRow, boolean>((rows) => storeBatch(rows), { cache: false, maxBatchSize: BATCH });

  async function storeBatch(rows: readonly InboundRow[]): Promise<boolean[]> {
    // One row a message: WhatsApp may repeat one within a batch.
    const distinct = new Map(rows.map((row) => [`${row.sessionId}/${row.wireId}`, row]));
    const { heldSessions, accounts } = await deps.database.systemOnce((tx) => storeInbound(tx, [...distinct.values()]));
    for (const account of new Set(accounts)) deps.onFact(account);
    return rows.map((row) => heldSessions.has(row.sessionId));
  }

  return {
    /** Resolves once every message is committed. @throws Error when the lease has moved on. */
    async receive(hold: LaneHold, messages: readonly InboundMessage[]): Promise<void> {
      const cipher = await deps.vault.of(hold.accountId);
      const rows = messages.map((message): InboundRow => {
        const id = deps.newUuid();
        return {
          id,
          eventId: deps.newUuid(),
          sessionId: hold.sessionId,
          epoch: hold.epoch,
          fromMe: message.fromMe,
          phone: message.chat.phone,
          lid: message.chat.lid,
          name: message.pushName,
          type: message.content.type,
          sealedContent: sealContent(toStoredContent(message.content), id, cipher),
          quotedWireId: message.quotedWireId,
          wireId: message.wireId,
          at: message.sentAt,
        };
      });
      const held = await writes.loadMany(rows);
      for (const result of held) {
        if (result instanceof Error) throw result;
        if (!result) throw new Error('the session is held by another worker');
      }
    },
  };
}
