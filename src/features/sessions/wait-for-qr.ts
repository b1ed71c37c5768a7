import type { Clock } from '../../lib/clock.ts';
import type { Context } from '../../platform/context.ts';
import type { SessionAccess } from './session-access.ts';
import { notReady } from './session-readiness.ts';
import { sessionErrors } from './sessions.errors.ts';
import type { SessionRow } from './sessions.model.ts';

const WAIT_MS = 10_000;

interface ShownQr {
  qr: string;
  qr_expires_at: Date;
}

/**
 * The session with a QR code that can still be scanned, waiting for the first or the next one.
 * @throws session.already_linked, session.not_ready, session.no_qr
 */
export async function waitForQr(
  access: Pick<SessionAccess, 'waitUntil'>,
  clock: Clock,
  ctx: Context,
  id: string,
): Promise<SessionRow & ShownQr> {
  const isOver = (row: SessionRow) => freshQr(row, clock) !== undefined || !mayShowOne(row);
  const row = await access.waitUntil(ctx, id, isOver, WAIT_MS);
  const shown = freshQr(row, clock);
  if (shown !== undefined) return { ...row, ...shown };
  if (row.phone !== null) throw sessionErrors.alreadyLinked();
  throw mayShowOne(row) ? notReady(row) : sessionErrors.noQr();
}

/** The row keeps the last code while the next is on its way. */
function freshQr({ qr, qr_expires_at }: SessionRow, clock: Clock): ShownQr | undefined {
  return qr !== null && qr_expires_at !== null && qr_expires_at > clock.now()
    ? { qr, qr_expires_at }
    : undefined;
}

function mayShowOne({ phone, status }: SessionRow): boolean {
  return phone === null && ['starting', 'pairing'].includes(status);
}
