import { getBinaryNodeChild, getBinaryNodeChildren, type SignalDataTypeMap } from '@whiskeysockets/baileys';
import type { Clock } from '../../lib/clock.ts';
import { isLid, lidJid, parseJid, phoneJid, userJid } from './jid.ts';
import type { KeyCache } from './key-cache.ts';
import { CODECS } from './key-codec.ts';
import type { LidMapping } from './lid-mapping.ts';
import { asNode } from './nodes.ts';
import type { Wire } from './wire.ts';

const KIND = 'tctoken';
/** Tokens are issued once in each week of the epoch, as WhatsApp Web does. */
const WEEK_SECONDS = 7 * 24 * 60 * 60;

type Entry = SignalDataTypeMap['tctoken'];

/** A token that a contact is to get after the message that is about to leave. */
export interface DueToken {
  /** Under which the contact's entry is stored: the LID's jid where known. */
  storedUnder: string;
  issueTo: string;
  /** Seconds since the epoch. */
  at: number;
}

/**
 * Trusted-contact tokens: given to each contact once a week, so that the contact's answers and ours are not taken for
 * spam. Baileys would give one after every message, since it notes that it did in a transaction that is over; here the
 * note is made before the message, which keeps Baileys quiet, and the token is given after it.
 */
export class PrivacyTokens {
  readonly #cache: KeyCache;
  readonly #mapping: LidMapping;
  readonly #clock: Clock;

  constructor(cache: KeyCache, mapping: LidMapping, clock: Clock) {
    this.#cache = cache;
    this.#mapping = mapping;
    this.#clock = clock;
  }

  /** Notes that the contact gets its token now. @returns the token to give, if it is due */
  async claim(jid: string, issueToLid: boolean): Promise<DueToken | undefined> {
    const { phone, lid } = await this.#mapping.complete(
      isLid(jid) ? { lid: userOf(jid) } : { phone: userOf(jid) },
    );
    const storedUnder = lid === undefined ? userJid(jid) : lidJid(lid);
    const at = Math.floor(this.#clock.now().getTime() / 1000);
    const entry = await this.#entry(storedUnder);
    if (week(entry?.senderTimestamp) === week(at)) return undefined;
    this.#write(storedUnder, { ...entry, token: entry?.token ?? Buffer.alloc(0), senderTimestamp: at });
    const issueTo = issueToLid || phone === undefined ? storedUnder : phoneJid(phone);
    return { storedUnder, issueTo, at };
  }

  /** Gives the contact its token; when that fails, the next message to the contact tries again. Never rejects. */
  async give(wire: Pick<Wire, 'issuePrivacyTokens'>, { storedUnder, issueTo, at }: DueToken): Promise<void> {
    try {
      const answer: unknown = await wire.issuePrivacyTokens([issueTo], at);
      if (answer === undefined) throw new Error('no answer');
      await this.#keepAnswer(answer, storedUnder);
    } catch {
      const entry = await this.#entry(storedUnder).catch(() => undefined);
      if (entry === undefined) return;
      const { senderTimestamp: _, ...rest } = entry;
      this.#write(storedUnder, rest);
    }
  }

  /** The answer may hold the contact's own token. */
  async #keepAnswer(answer: unknown, storedUnder: string): Promise<void> {
    const tokens = getBinaryNodeChildren(getBinaryNodeChild(asNode(answer), 'tokens'), 'token');
    for (const { attrs, content } of tokens) {
      if (attrs['type'] !== 'trusted_contact' || !attrs['t'] || !(content instanceof Uint8Array)) continue;
      const entry = await this.#entry(storedUnder);
      if (Number(entry?.timestamp ?? 0) > Number(attrs['t'])) continue;
      this.#write(storedUnder, { ...entry, token: Buffer.from(content), timestamp: attrs['t'] });
    }
  }

  async #entry(jid: string): Promise<Entry | undefined> {
    const bytes = await this.#cache.get(KIND, jid);
    return bytes && CODECS[KIND].decode(bytes);
  }

  #write(jid: string, entry: Entry): void {
    this.#cache.put([{ kind: KIND, id: jid, value: CODECS[KIND].encode(entry) }]);
  }
}

function week(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : Math.floor(seconds / WEEK_SECONDS);
}

function userOf(jid: string): string {
  return parseJid(jid)?.user ?? '';
}
