import { createHash } from 'node:crypto';
import { formatJid, LID_SERVER, PHONE_SERVER } from '../wire/jid.ts';

/** A user of one realm under both of the names the network uses. */
export interface Identity {
  realm: string;
  /** Digits of the number. */
  number: string;
  /** Digits of the LID. */
  lid: string;
}

/** How a stanza names its users. */
export type Addressing = 'pn' | 'lid';

/** The stable LID of a number in a realm: 15 digits. */
export function lidOf(realm: string, number: string): string {
  const digest = createHash('sha256').update(`${realm}\0${number}`).digest();
  return `1${String(digest.readBigUInt64BE() % 10n ** 14n).padStart(14, '0')}`;
}

/** The address of a device (0: the phone) in the wanted naming. */
export function jidOf(identity: Identity, addressing: Addressing = 'pn', device = 0): string {
  return addressing === 'lid'
    ? formatJid(identity.lid, LID_SERVER, device)
    : formatJid(identity.number, PHONE_SERVER, device);
}
