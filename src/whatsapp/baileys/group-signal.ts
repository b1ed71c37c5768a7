import type { SignalCreds, SignalRepositoryWithLIDStore } from '@whiskeysockets/baileys';
import {
  GroupCipher,
  GroupSessionBuilder,
  ProtocolAddress,
  SenderKeyDistributionMessage,
  SenderKeyName,
  type SignalStorage,
} from 'whatsapp-rust-bridge';
import { signalAddress } from './jid.ts';
import type { KeyCache } from './key-cache.ts';
import type { KeyedLock } from './keyed-lock.ts';
import { type RatchetState, withStorage } from './signal-storage.ts';
import type { Unconfirmed } from './unconfirmed.ts';

export interface SignalParts {
  creds: SignalCreds;
  cache: KeyCache;
  unconfirmed: Unconfirmed;
  locks: KeyedLock;
  /** State as sending sees it: what is stored is durable after the next `persist`. */
  sending: RatchetState;
  /** State as receiving sees it: what is stored waits until the message is committed. */
  receiving: RatchetState;
}

type Receiving = Pick<
  SignalRepositoryWithLIDStore,
  'decryptGroupMessage' | 'processSenderKeyDistributionMessage'
>;
type Sending = Pick<
  SignalRepositoryWithLIDStore,
  'encryptGroupMessage' | 'getSenderKeyDistributionMessage' | 'hasSenderKey'
>;

/** Sender keys of others: one ratchet per author and group, given to every device of the group. */
export function groupReceiving({ creds, unconfirmed, locks, receiving }: SignalParts): Receiving {
  const receive = async <T>(key: string, operation: (storage: SignalStorage) => Promise<T>): Promise<T> => {
    const result = await locks.run(key, () => withStorage(creds, receiving, operation));
    unconfirmed.confirmSingle();
    return result;
  };

  return {
    decryptGroupMessage: ({ group, authorJid, msg }) =>
      receive(senderKeyId(group, authorJid), async (storage) => {
        using cipher = groupCipher(storage, group, authorJid);
        return await cipher.decrypt(msg);
      }),

    async processSenderKeyDistributionMessage({ item, authorJid }) {
      const { groupId, axolotlSenderKeyDistributionMessage: serialized } = item;
      if (!groupId || !serialized) throw new Error('a sender key without its group');
      await receive(senderKeyId(groupId, authorJid), async (storage) => {
        using builder = new GroupSessionBuilder(storage);
        using name = senderKeyName(groupId, authorJid);
        using message = SenderKeyDistributionMessage.deserialize(serialized);
        await builder.process(name, message);
      });
    },
  };
}

/** This device's own sender keys. */
export function groupSending({ creds, cache, locks, sending }: SignalParts): Sending {
  const send = async <T>(
    group: string,
    author: string,
    operation: (storage: SignalStorage) => Promise<T>,
  ) => {
    const result = await locks.run(senderKeyId(group, author), () => withStorage(creds, sending, operation));
    await cache.persist();
    return result;
  };

  return {
    encryptGroupMessage: ({ group, data, meId }) =>
      send(group, meId, async (storage) => {
        const senderKeyDistributionMessage = await distribute(storage, group, meId);
        using cipher = groupCipher(storage, group, meId);
        return { senderKeyDistributionMessage, ciphertext: await cipher.encrypt(data) };
      }),

    getSenderKeyDistributionMessage: ({ group, meId }) =>
      send(group, meId, (storage) => distribute(storage, group, meId)),

    hasSenderKey: async ({ group, meId }) =>
      (await sending.load('sender-key', senderKeyId(group, meId))) !== undefined,
  };
}

async function distribute(storage: SignalStorage, group: string, author: string): Promise<Uint8Array> {
  using builder = new GroupSessionBuilder(storage);
  using name = senderKeyName(group, author);
  using message = await builder.create(name);
  return message.serialize();
}

function senderKeyName(group: string, author: string): SenderKeyName {
  const { name, device } = signalAddress(author);
  using address = new ProtocolAddress(name, device);
  return new SenderKeyName(group, address);
}

function senderKeyId(group: string, author: string): string {
  using name = senderKeyName(group, author);
  return name.toString();
}

function groupCipher(storage: SignalStorage, group: string, author: string): GroupCipher {
  const { name, device } = signalAddress(author);
  using address = new ProtocolAddress(name, device);
  return new GroupCipher(storage, group, address);
}
