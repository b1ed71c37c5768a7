import type { SocketClosed } from '../socket.ts';
import type { Wire } from './wire.ts';

/**
 * Removes this device from the account. Baileys' `logout` hangs up without waiting for WhatsApp to have understood.
 * @param closed WhatsApp may answer by ending the connection
 * @throws Error when WhatsApp did not confirm
 */
export async function logOut(
  wire: Pick<Wire, 'generateMessageTag' | 'query'>,
  self: string,
  closed: Promise<SocketClosed>,
): Promise<void> {
  const confirmed = wire.query({
    tag: 'iq',
    attrs: { to: '@s.whatsapp.net', type: 'set', id: wire.generateMessageTag(), xmlns: 'md' },
    content: [{ tag: 'remove-companion-device', attrs: { jid: self, reason: 'user_initiated' } }],
  });
  const ended = closed.then(({ code }) => (code === 401 ? 'removed' : undefined));
  const answer: unknown = await Promise.race([confirmed, ended]);
  if (answer === undefined) throw new Error('WhatsApp did not confirm the logout');
}
