import { LRUCache } from 'lru-cache';
import type { LaneHold, LaneMessages, QueuedMessage } from '../features/messages/lane.service.ts';
import type { WhatsAppIdentity, WhatsAppSocket } from '../whatsapp/socket.ts';

/** Finds who a number is on WhatsApp, asking WhatsApp once and remembering the answer for the whole account. */
export interface Recipients {
  /**
   * @returns `null` when the number is not on WhatsApp.
   * @throws Error when WhatsApp gave no answer.
   */
  resolve(hold: LaneHold, socket: WhatsAppSocket, message: QueuedMessage): Promise<WhatsAppIdentity | null>;
}

export function createRecipients(messages: LaneMessages): Recipients {
  const known = new LRUCache<string, WhatsAppIdentity>({ max: 20_000 });

  return {
    async resolve(hold, socket, { phone, lid }) {
      const key = `${hold.accountId}/${hold.mode}/${phone}`;
      const cached = known.get(key);
      if (cached !== undefined) return cached;
      if (lid !== undefined) {
        const stored = { phone, lid };
        known.set(key, stored);
        return stored;
      }
      const found = (await socket.lookUp([phone])).get(phone);
      if (found === undefined) throw new Error('WhatsApp did not say whether the number is known');
      if (found === null) return null;
      known.set(key, found);
      if (found.lid !== undefined)
        await messages.rememberIdentity(hold, { phone: found.phone ?? phone, lid: found.lid });
      return found;
    },
  };
}
