import { type BinaryNode, getBinaryNodeChild, getBinaryNodeChildren } from '@whiskeysockets/baileys';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../platform/log/log.ts';
import type { Receipt, ReceiptStatus, SocketHandlers } from '../socket.ts';
import { BatchQueue } from './batch-queue.ts';
import type { SelfUser } from './inbound-message.ts';
import { identityOf, isPerson, parseJid } from './jid.ts';
import type { LidMapping } from './lid-mapping.ts';
import { type Committed, untilCommitted } from './until-committed.ts';
import type { Wire } from './wire.ts';

/** `type` of a receipt; none means delivered. */
const STATUSES: Record<string, ReceiptStatus> = {
  '': 'delivered',
  inactive: 'delivered',
  read: 'read',
  played: 'played',
};

/**
 * What a receipt says of messages that this session sent. `undefined` for receipts between own devices and those that
 * ask for something (`retry`, `server-error`).
 */
export function readReceipt({ attrs, content }: BinaryNode, self: SelfUser): Receipt | undefined {
  const { id, from, participant, type = '', t } = attrs;
  const status = STATUSES[type];
  const reader = participant ?? from;
  if (status === undefined || id === undefined || !isPerson(reader)) return undefined;
  const user = parseJid(reader)?.user;
  if (user === self.phone || user === self.lid) return undefined;
  const items = getBinaryNodeChildren(
    getBinaryNodeChild({ tag: '', attrs, ...(content && { content }) }, 'list'),
    'item',
  );
  return {
    wireIds: [...new Set([id, ...items.flatMap((item) => item.attrs['id'] ?? [])])],
    from: identityOf(
      reader,
      attrs['sender_pn'],
      attrs['sender_lid'],
      attrs['participant_pn'],
      attrs['participant_lid'],
    ),
    status,
    at: new Date(Number(t) * 1000 || Date.now()),
  };
}

interface ReceiptParts {
  wire: Pick<Wire, 'sendMessageAck'>;
  mapping: LidMapping;
  handlers: Pick<SocketHandlers, 'onReceipts'>;
  /** Sends a message again that a device could not open, and acknowledges the receipt. */
  resend: (node: BinaryNode) => Promise<void>;
  self: () => SelfUser;
  clock: Clock;
  log: Log;
  random: () => number;
  over: AbortSignal;
  onGaveUp: (why: Exclude<Committed, 'committed'>) => void;
}

/** Takes receipts in: has them committed, and only then acknowledges them. */
export class Receipts {
  readonly #parts: ReceiptParts;
  readonly #queue = new BatchQueue<BinaryNode>((batch) => this.#take(batch));

  constructor(parts: ReceiptParts) {
    this.#parts = parts;
  }

  add(node: BinaryNode): void {
    if (node.attrs['type'] !== 'retry') return this.#queue.add(node);
    this.#parts
      .resend(node)
      .catch((error: unknown) => this.#parts.log.warn({ err: error }, 'a message was not sent again'));
  }

  close(): Promise<void> {
    return this.#queue.close();
  }

  async #take(batch: readonly BinaryNode[]): Promise<void> {
    const { handlers, mapping, wire, self, log, onGaveUp } = this.#parts;
    const outcome = await untilCommitted(async () => {
      const receipts = batch.flatMap((node) => readReceipt(node, self()) ?? []);
      for (const receipt of receipts) receipt.from = await mapping.complete(receipt.from);
      if (receipts.length > 0) await handlers.onReceipts(receipts);
    }, this.#parts);
    if (outcome !== 'committed') return onGaveUp(outcome);
    for (const node of batch) {
      wire
        .sendMessageAck(node)
        .catch((error: unknown) => log.debug({ err: error }, 'a receipt could not be acknowledged'));
    }
  }
}
