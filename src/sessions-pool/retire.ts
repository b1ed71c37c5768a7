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

/** Logs a session out at WhatsApp, forgets its link, and deletes it where that was asked. */
export async function retire(parts: Parts, lease: Lease, row: HeldRow, signal: AbortSignal): Promise<void> {
  const { reports, messages } = parts;
  if (row.phone !== null) await logOut(parts, lease, signal);
  if (signal.aborted) return;
  const detail = row.desired === 'deleted' ? 'The session was deleted.' : 'The session was logged out.';
  await messages.failQueued(lease, { code: 'message.session_closed', detail });
  await reports.eraseLink(lease);
  await reports.status(lease, { status: 'logged_out', code: 'session.logged_out', detail, wanted: false });
  if (row.desired === 'deleted') await reports.deleted(lease);
}

async function logOut(parts: Parts, lease: Lease, signal: AbortSignal): Promise<void> {
  const { openSocket, keyStores, url, connectTimeoutMs, ackTimeoutMs, clock, log } = parts;
  let socket: WhatsAppSocket | undefined;
  let ended = () => {};
  const opened = new Promise<boolean>((resolve) => {
    ended = () => resolve(false);
    openSocket({
      url,
      keys: keyStores.of(lease),
      connectTimeoutMs,
      ackTimeoutMs,
      handlers: {
        onQr: ended,
        onLinked: () => {},
        onOpen: () => resolve(true),
        onClosed: ended,
        // Nothing is stored for a session on its way out, so nothing is acknowledged either.
        onMessages: () => Promise.reject(new Error('the session is being logged out')),
        onReceipts: () => Promise.reject(new Error('the session is being logged out')),
        onRefused: () => Promise.resolve(),
        loadSent: () => Promise.resolve(undefined),
      },
    }).then((made) => {
      socket = made;
    }, ended);
  });
  const timeout = new AbortController();
  const late = clock.sleep(LOGOUT_TIMEOUT_MS, AbortSignal.any([timeout.signal, signal])).catch(() => undefined);
  try {
    const isOpen = await Promise.race([opened, late.then(() => false)]);
    if (isOpen) await Promise.race([socket?.logout(), late]);
    else log.warn({ session: lease.sessionId }, 'WhatsApp could not be told of the logout');
  } catch (error) {
    log.warn({ err: error, session: lease.sessionId }, 'WhatsApp did not confirm the logout');
  } finally {
    timeout.abort();
    await socket?.close();
  }
}
