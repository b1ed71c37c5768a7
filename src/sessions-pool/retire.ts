import type { LaneMessages } from '../features/messages/lane.service.ts';
import type { HeldRow, SessionReports } from '../features/sessions/session-reports.service.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../platform/log/log.ts';
import type { WhatsAppSocket } from '../whatsapp/socket.ts';
import type { ConnectionParts } from './connection.ts';
import type { Lease } from './leases.system.ts';

interface Parts extends ConnectionParts {
  reports: SessionReports;
  messages: LaneMessages;
  clock: Clock;
  log: Log;
}

/** Longest wait for WhatsApp to hear of a logout; the link is forgotten here in any case. */
const LOGOUT_TIMEOUT_MS = 8_000;
const CLOSE_TIMEOUT_MS = 2_000;

/** Logs a session out at WhatsApp, forgets its link, and deletes it where that was asked. */
export async function retire(parts: Parts, lease: Lease, row: HeldRow, signal: AbortSignal): Promise<void> {
  const { reports, messages } = parts;
  if (row.phone !== null) await logOut(parts, lease, signal);
  if (signal.aborted) return;
  const detail = row.desired === 'deleted' ? 'The session was deleted.' : 'The session was logged out.';
  await messages.failQueued(lease, { code: 'message.session_closed', detail });
  await reports.eraseLink(lease);
  const now = await reports.read(lease);
  // Restarted meanwhile: whoever claims the session next pairs it anew.
  if (now?.desired === 'running') return;
  await reports.status(lease, { status: 'logged_out', code: 'session.logged_out', detail, wanted: false });
  if (row.desired === 'deleted') await reports.deleted(lease);
}

async function logOut(parts: Parts, lease: Lease, signal: AbortSignal): Promise<void> {
  const { clock, log } = parts;
  const over = new AbortController();
  const late = clock.sleep(LOGOUT_TIMEOUT_MS, AbortSignal.any([over.signal, signal])).catch(() => undefined);
  const { socket, opened } = openForLogout(parts, lease);
  try {
    const isOpen = await Promise.race([opened, late.then(() => false)]);
    if (isOpen) await Promise.race([socket.then((open) => open.logout()), late]);
    else log.warn({ session: lease.sessionId }, 'WhatsApp could not be told of the logout');
  } catch (error) {
    log.warn({ err: error, session: lease.sessionId }, 'WhatsApp did not confirm the logout');
  } finally {
    over.abort();
    // One that opens later than we waited is closed too, but not waited for.
    const closed = socket.then((open) => open.close()).catch(() => undefined);
    await Promise.race([closed, clock.sleep(CLOSE_TIMEOUT_MS).catch(() => undefined)]);
  }
}

/** Opens a socket that can only log out. `opened` resolves to whether it became able to. */
function openForLogout(
  { openSocket, keyStores, url, connectTimeoutMs, ackTimeoutMs }: Parts,
  lease: Lease,
): { socket: Promise<WhatsAppSocket>; opened: Promise<boolean> } {
  let settle: (isOpen: boolean) => void = () => undefined;
  const opened = new Promise<boolean>((resolve) => {
    settle = resolve;
  });
  const refuse = () => Promise.reject(new Error('the session is being logged out'));
  const socket = openSocket({
    url,
    keys: keyStores.of(lease),
    connectTimeoutMs,
    ackTimeoutMs,
    handlers: {
      onQr: () => settle(false),
      onLinked: () => undefined,
      onOpen: () => settle(true),
      onClosed: () => settle(false),
      // Nothing is stored for a session on its way out, so nothing is acknowledged either.
      onMessages: refuse,
      onReceipts: refuse,
      onRefused: () => Promise.resolve(),
      loadSent: () => Promise.resolve(undefined),
    },
  });
  socket.catch(() => settle(false));
  return { socket, opened };
}
