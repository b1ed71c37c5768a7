import { z } from 'zod';
import type { Emulation } from './emulation.ts';
import { type ScopedState, sequenceKey } from './scoped-state.ts';

/** Messages that a phone keeps; the oldest go first. */
const CAPACITY = 20_000;

export const storedMessageSchema = z.object({
  id: z.string(),
  /** Digits of the numbers. */
  from: z.string(),
  to: z.string(),
  direction: z.enum(['in', 'out']),
  /** `text`, or the field of WhatsApp's Message that the message carries. */
  kind: z.string(),
  text: z.string(),
  receivedAt: z.string(),
  deliveredAt: z.string().optional(),
  readAt: z.string().optional(),
  quotedId: z.string().optional(),
  /** As the quote itself says: digits of who wrote the quoted message, and its text. */
  quotedFrom: z.string().optional(),
  quotedText: z.string().optional(),
  /** How the first copy was encrypted; `none` where it never left the emulator. */
  encryption: z.enum(['pkmsg', 'msg', 'none']),
  /** Copies after the first. */
  duplicates: z.int(),
  /** How the author named the conversation, for receipts. */
  addressing: z.enum(['pn', 'lid']),
  /** Device of the author. */
  fromDevice: z.int(),
});
export type StoredMessage = z.output<typeof storedMessageSchema>;

/** A message in its place. */
export interface InboxEntry {
  sequence: number;
  message: StoredMessage;
}

/** The messages that a phone has, each once: by author and id. */
export class Inbox {
  readonly #emulation: Emulation;
  readonly #state: ScopedState;
  readonly #path: string;
  readonly #entries = new Map<string, InboxEntry>();

  constructor(emulation: Emulation, state: ScopedState, path: string) {
    this.#emulation = emulation;
    this.#state = state;
    this.#path = path;
  }

  find(from: string, id: string): InboxEntry | undefined {
    return this.#entries.get(entryKey(from, id));
  }

  /** Adds a message that {@link find} does not know. */
  add(message: StoredMessage): InboxEntry {
    const entry = { sequence: this.#emulation.nextSequence(), message };
    this.restore(entry);
    this.#write(entry, true);
    const [oldest] = this.#entries;
    if (this.#entries.size > CAPACITY && oldest) this.#forget(...oldest);
    return entry;
  }

  /** Changes a message and keeps the change. */
  update(entry: InboxEntry, change: Partial<StoredMessage>): void {
    Object.assign(entry.message, change);
    this.#write(entry);
  }

  /** Takes a message back in that was stored before a restart; called in order. */
  restore(entry: InboxEntry): void {
    this.#entries.set(entryKey(entry.message.from, entry.message.id), entry);
  }

  /** All messages, oldest first. */
  list(): InboxEntry[] {
    return [...this.#entries.values()];
  }

  #write(entry: InboxEntry, fresh = false): void {
    this.#state.putJson(`${this.#path}/${sequenceKey(entry.sequence)}`, () => entry.message, fresh);
  }

  #forget(key: string, { sequence }: InboxEntry): void {
    this.#entries.delete(key);
    this.#state.delete(`${this.#path}/${sequenceKey(sequence)}`);
  }
}

function entryKey(from: string, id: string): string {
  return `${from}/${id}`;
}
