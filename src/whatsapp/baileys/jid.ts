import { jidDecode } from '@whiskeysockets/baileys';
import type { WhatsAppIdentity } from '../socket.ts';

/** Address of a user or of one device, taken apart. */
export interface Jid {
  user: string;
  server: string;
  device: number;
}

/** Takes a jid apart: `4917…:3@s.whatsapp.net`, `123@lid`. `undefined` for text that is none. */
export function parseJid(jid: string | undefined): Jid | undefined {
  const decoded = jidDecode(jid);
  if (decoded === undefined || decoded.user === '') return undefined;
  return { user: decoded.user, server: decoded.server, device: decoded.device ?? 0 };
}

export const phoneJid = (phone: string): string => `${phone}@s.whatsapp.net`;
export const lidJid = (lid: string): string => `${lid}@lid`;

/** The same jid without its device. */
export function userJid(jid: string): string {
  const { user, server } = parseJid(jid) ?? { user: '', server: '' };
  return `${user}@${server}`;
}

/** Whether the jid is a person's, under number or LID, and not a group's, a list's or a channel's. */
export function isPerson(jid: string | undefined): boolean {
  const server = parseJid(jid)?.server;
  return server === 's.whatsapp.net' || server === 'lid' || server === 'hosted' || server === 'hosted.lid';
}

export function isLid(jid: string | undefined): boolean {
  const server = parseJid(jid)?.server;
  return server === 'lid' || server === 'hosted.lid';
}

/** Who the jids, each a number or a LID, name. */
export function identityOf(...jids: (string | undefined)[]): WhatsAppIdentity {
  const identity: WhatsAppIdentity = {};
  for (const jid of jids) {
    const parsed = parseJid(jid);
    if (parsed === undefined) continue;
    if (isLid(jid)) identity.lid ??= parsed.user;
    else if (isPerson(jid)) identity.phone ??= parsed.user;
  }
  return identity;
}

/**
 * Name under which Signal state of a device is stored: `user.device` under a number, `user_1.device` under a LID
 * (`128` and `129` for devices that Meta hosts), as libsignal writes a protocol address.
 * @throws Error for a jid without user, or with the device id that is reserved for hosted devices.
 */
export function signalAddress(jid: string): { name: string; device: number } {
  const decoded = jidDecode(jid);
  if (decoded === undefined || decoded.user === '') throw new Error('not the jid of a device');
  const { user, server, domainType = 0, device = 0 } = decoded;
  if (device === 99 && !server.startsWith('hosted'))
    throw new Error('device 99 exists on hosted servers only');
  return { name: domainType === 0 ? user : `${user}_${domainType}`, device };
}
