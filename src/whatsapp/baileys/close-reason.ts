import type { SocketClosed } from '../socket.ts';
import { blot, statusOf } from './log-adapter.ts';

/** What Baileys says when a signature of the server's, or one that the server passed on, does not hold. */
const UNTRUSTED = [
  /noise .*certificate/i,
  /certification match failed/i,
  /verify account signature/i,
  /invalid account signature/i,
];

/** How a connection ended, from the error that Baileys reports; without one it was closed on purpose. */
export function closeReason(error: Error | undefined): SocketClosed {
  if (error === undefined) return { code: 'closed_by_us', reason: 'closed' };
  const reason = blot(error.message);
  if (UNTRUSTED.some((pattern) => pattern.test(error.message))) return { code: 'untrusted_server', reason };
  return { code: statusOf(error) ?? 500, reason };
}
