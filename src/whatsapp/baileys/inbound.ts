import type { BinaryNode, SignalRepositoryWithLIDStore } from '@whiskeysockets/baileys';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../platform/log/log.ts';
import type { InboundMessage, SocketHandlers } from '../socket.ts';
import { BatchQueue } from './batch-queue.ts';
import {
  ciphertextsOf,
  isDirect,
  isFromMe,
  readMessage,
  type SelfUser,
  senderOf,
} from './inbound-message.ts';
import { lidJid, phoneJid } from './jid.ts';
import type { LidMapping } from './lid-mapping.ts';
import { SignalError } from './signal-storage.ts';
import type { BaileysHandling } from './take-listeners.ts';
import type { Unconfirmed } from './unconfirmed.ts';
import { type Committed, untilCommitted } from './until-committed.ts';
import type { Wire } from './wire.ts';

interface InboundParts {
  wire: Pick<Wire, 'messageRetryManager' | 'sendMessageAck' | 'sendReceipt'>;
  repository: SignalRepositoryWithLIDStore;
  mapping: LidMapping;
  unconfirmed: Unconfirmed;
  handlers: Pick<SocketHandlers, 'onMessages' | 'areStored'>;
  /** What Baileys does with a message: it acknowledges it, asks for it again, or handles what is no message. */
  baileys: BaileysHandling;
  self: () => SelfUser;
  clock: Clock;
  log: Log;
  random: () => number;
  over: AbortSignal;
  /** The batch will never be committed on this connection. */
  onGaveUp: (why: Exclude<Committed, 'committed'>) => void;
}

/** A stanza after Signal had it. */
interface Opened {
  node: BinaryNode;
  message?: InboundMessage;
  /** The ratchet has opened this ciphertext before. */
  isRepeat: boolean;
}

/**
 * Takes messages in: opens them, has them committed, and only then lets WhatsApp know. Batches are dealt with one after
 * the other, in the order of arrival.
 */
export class Inbound {
  readonly #parts: InboundParts;
  readonly #queue = new BatchQueue<BinaryNode>((batch) => this.#take(batch));

  constructor(parts: InboundParts) {
    this.#parts = parts;
  }

  add(node: BinaryNode): void {
    if (isDirect(node)) this.#queue.add(node);
    else this.#handToBaileys(node);
  }

  close(): Promise<void> {
    return this.#queue.close();
  }

  async #take(batch: readonly BinaryNode[]): Promise<void> {
    const { unconfirmed, handlers, onGaveUp } = this.#parts;
    let opened: Opened[] = [];
    let stored: ReadonlySet<string> = new Set();
    unconfirmed.beginBatch();
    const outcome = await untilCommitted(async () => {
      opened = [];
      for (const node of batch) opened.push(await this.#open(node));
      const messages = opened.flatMap(({ message }) => message ?? []);
      if (messages.length > 0) await handlers.onMessages(messages);
      const repeats = opened.flatMap(({ node, isRepeat }) => (isRepeat ? (node.attrs['id'] ?? []) : []));
      if (repeats.length > 0) stored = (await handlers.areStored?.(repeats)) ?? new Set();
    }, this.#parts);
    if (outcome !== 'committed') {
      unconfirmed.discard();
      onGaveUp(outcome);
      return;
    }
    unconfirmed.confirmBatch();
    for (const { node, message, isRepeat } of opened) {
      const isKnown = isRepeat && stored.has(node.attrs['id'] ?? '');
      if (isKnown || (message !== undefined && !message.fromMe)) this.#acknowledge(node);
      else this.#handToBaileys(node);
    }
  }

  async #open(node: BinaryNode): Promise<Opened> {
    const { repository, self } = this.#parts;
    await this.#noteSender(node);
    const plaintexts: Uint8Array[] = [];
    let isRepeat = false;
    for (const { type, bytes } of ciphertextsOf(node)) {
      try {
        plaintexts.push(
          await repository.decryptMessage({ jid: node.attrs['from'] ?? '', type, ciphertext: bytes }),
        );
      } catch (error) {
        if (!(error instanceof SignalError)) throw error;
        // Baileys gets the same error for these bytes, and asks the sender for the message again.
        isRepeat ||= error.failure === 'duplicate';
      }
    }
    const message = readMessage(node, plaintexts, self());
    if (message === undefined) return { node, isRepeat };
    return {
      node,
      isRepeat,
      message: { ...message, chat: await this.#parts.mapping.complete(message.chat) },
    };
  }

  /** Number and LID in one stanza: from now on they are one user, and share their Signal sessions. */
  async #noteSender(node: BinaryNode): Promise<void> {
    const { mapping, repository } = this.#parts;
    const { phone, lid } = senderOf(node);
    if (phone === undefined || lid === undefined) return;
    if (await mapping.note(phone, lid)) await repository.migrateSession(phoneJid(phone), lidJid(lid));
  }

  /** Tells WhatsApp that a committed message arrived, on a device that nobody looks at (`inactive`), as Baileys does. */
  #acknowledge(node: BinaryNode): void {
    const { wire, self, log } = this.#parts;
    const { from = '', id = '' } = node.attrs;
    wire.messageRetryManager?.cancelPendingPhoneRequest(id);
    const told = isFromMe(node, self())
      ? wire.sendMessageAck(node)
      : wire.sendReceipt(from, undefined, [id], 'inactive');
    told.catch((error: unknown) =>
      log.debug({ err: error }, 'a message could not be acknowledged; it will come again'),
    );
  }

  #handToBaileys(node: BinaryNode): void {
    const { baileys, log } = this.#parts;
    baileys(node).catch((error: unknown) => log.warn({ err: error }, 'baileys failed on a message'));
  }
}
