import { jidEncode, type LIDMapping, type SocketConfig } from '@whiskeysockets/baileys';
// The root does not export the class, and Baileys' repository type names it.
import { LIDMappingStore } from '@whiskeysockets/baileys/lib/Signal/lid-mapping.js';
import type { WhatsAppIdentity } from '../socket.ts';
import { isLid, isPerson, lidJid, parseJid, phoneJid } from './jid.ts';
import type { KeyCache } from './key-cache.ts';

type Auth = Parameters<SocketConfig['makeSignalRepository']>[0];
type Ask = Parameters<SocketConfig['makeSignalRepository']>[2];

const KIND = 'lid-mapping';
const reverse = (lid: string) => `${lid}_reverse`;

/**
 * Which LID belongs to which number. Replaces Baileys' store, which keeps every pair for days and a timer for each, by
 * one on the bounded cache; the stored form is the same.
 */
export class LidMapping extends LIDMappingStore {
  readonly #cache: KeyCache;
  readonly #ask: Ask;

  /** @param ask asks WhatsApp for the LIDs of numbers */
  constructor(cache: KeyCache, keys: Auth['keys'], logger: SocketConfig['logger'], ask: Ask) {
    if (!('transaction' in keys)) throw new Error('Baileys must pass its transactional key store');
    super(keys, logger);
    this.#cache = cache;
    this.#ask = ask;
  }

  /** The LID of a number, as far as this session knows. */
  async lidOf(phone: string): Promise<string | undefined> {
    return decode(await this.#cache.get(KIND, phone));
  }

  /** The LID of a number where it is in memory. */
  peekLidOf(phone: string): string | undefined {
    return decode(this.#cache.peek(KIND, phone));
  }

  async phoneOf(lid: string): Promise<string | undefined> {
    return decode(await this.#cache.get(KIND, reverse(lid)));
  }

  /** The identity with its other half, where this session knows it. */
  async complete({ phone, lid }: WhatsAppIdentity): Promise<WhatsAppIdentity> {
    const number = phone ?? (lid === undefined ? undefined : await this.phoneOf(lid));
    const stable = lid ?? (phone === undefined ? undefined : await this.lidOf(phone));
    return {
      ...(number === undefined ? {} : { phone: number }),
      ...(stable === undefined ? {} : { lid: stable }),
    };
  }

  /** Notes that a number and a LID are one user. @returns whether that is news. */
  async note(phone: string, lid: string): Promise<boolean> {
    if ((await this.lidOf(phone)) === lid) return false;
    this.#cache.put([
      { kind: KIND, id: phone, value: Buffer.from(lid) },
      { kind: KIND, id: reverse(lid), value: Buffer.from(phone) },
    ]);
    return true;
  }

  override async storeLIDPNMappings(pairs: LIDMapping[]): Promise<void> {
    for (const { lid, pn } of pairs) {
      const [first, second] = isLid(lid) ? [lid, pn] : [pn, lid];
      const user = parseJid(first)?.user;
      const phone = parseJid(second)?.user;
      if (!isLid(first) || isLid(second) || !isPerson(second) || user === undefined || phone === undefined)
        continue;
      await this.note(phone, user);
    }
  }

  override async getLIDForPN(pn: string): Promise<string | null> {
    return (await this.getLIDsForPNs([pn]))?.[0]?.lid ?? null;
  }

  /** LIDs of numbers, devices kept; asks WhatsApp for those unknown. */
  override async getLIDsForPNs(pns: string[]): Promise<LIDMapping[] | null> {
    const wanted = pns.filter((pn) => isPerson(pn) && !isLid(pn));
    const phones = [...new Set(wanted.flatMap((pn) => parseJid(pn)?.user ?? []))];
    const known = await this.#cache.getMany(KIND, phones);
    const unknown = phones.filter((phone) => !known.has(phone));
    if (unknown.length > 0) await this.storeLIDPNMappings((await this.#ask?.(unknown.map(phoneJid))) ?? []);
    const pairs: LIDMapping[] = [];
    for (const pn of wanted) {
      const { user = '', device = 0, server = '' } = parseJid(pn) ?? {};
      const lid = await this.lidOf(user);
      if (lid !== undefined)
        pairs.push({ pn, lid: jidEncode(lid, server === 'hosted' ? 'hosted.lid' : 'lid', device) });
    }
    return pairs.length > 0 ? pairs : null;
  }

  override async getPNForLID(lid: string): Promise<string | null> {
    return (await this.getPNsForLIDs([lid]))?.[0]?.pn ?? null;
  }

  override async getPNsForLIDs(lids: string[]): Promise<LIDMapping[] | null> {
    const pairs: LIDMapping[] = [];
    for (const lid of lids.filter(isLid)) {
      const { user = '', device = 0, server = '' } = parseJid(lid) ?? {};
      const phone = await this.phoneOf(user);
      const pnServer = server === 'hosted.lid' ? 'hosted' : 's.whatsapp.net';
      if (phone !== undefined) pairs.push({ lid, pn: jidEncode(phone, pnServer, device) });
    }
    return pairs.length > 0 ? pairs : null;
  }

  /** Signal state is kept under the LID where that is known, so that both names of a device share one session. */
  async canonical(jid: string): Promise<string> {
    if (isLid(jid) || !isPerson(jid)) return jid;
    const parsed = parseJid(jid);
    const lid = parsed && (await this.lidOf(parsed.user));
    return lid === undefined || parsed === undefined ? jid : this.#moved(lid, parsed.server, parsed.device);
  }

  /** As {@link canonical}, from memory only. */
  peekCanonical(jid: string): string {
    const parsed = isLid(jid) || !isPerson(jid) ? undefined : parseJid(jid);
    const lid = parsed && this.peekLidOf(parsed.user);
    return lid === undefined || parsed === undefined ? jid : this.#moved(lid, parsed.server, parsed.device);
  }

  #moved(lid: string, server: string, device: number): string {
    if (device === 0) return lidJid(lid);
    return jidEncode(lid, server === 'hosted' ? 'hosted.lid' : 'lid', device);
  }
}

function decode(bytes: Uint8Array | undefined): string | undefined {
  return bytes && Buffer.from(bytes).toString('utf8');
}
