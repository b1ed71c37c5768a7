/** Server part of addresses by phone number. */
export const PHONE_SERVER = 's.whatsapp.net';
/** Address of the server itself in stanzas: clients compare it with the empty user before the `@`. */
export const SERVER = `@${PHONE_SERVER}`;
/** Server part of addresses by LID, the identity that hides the number. */
export const LID_SERVER = 'lid';

/** Who a stanza is from or to: a user, or one device of a user. */
export interface Jid {
  user: string;
  server: string;
  /** 0 is the phone itself. */
  device: number;
}

/** Reads `user[:device]@server`; `undefined` where the text is no address of a user (empty user, no `@`). */
export function parseJid(text: string | undefined): Jid | undefined {
  const match = text?.match(/^([^@:]+)(?::(\d+))?@([^@]+)$/);
  const [, user, device, server] = match ?? [];
  if (user === undefined || server === undefined) return undefined;
  return { user, server, device: device === undefined ? 0 : Number(device) };
}

/** Writes an address; device 0 is left out, as the server does. */
export function formatJid(user: string, server: string, device = 0): string {
  return device === 0 ? `${user}@${server}` : `${user}:${device}@${server}`;
}
