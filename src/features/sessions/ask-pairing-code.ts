import type { Context } from '../../platform/context.ts';
import type { Database } from '../../platform/db/database.ts';
import type { SessionAccess } from './session-access.ts';
import { notReady } from './session-readiness.ts';
import { sessionErrors } from './sessions.errors.ts';
import type { SessionStatus } from './sessions.model.ts';
import * as store from './sessions.store.ts';

interface Parts extends Pick<SessionAccess, 'waitUntil' | 'wake'> {
  database: Database;
}

const COMING_UP: ReadonlySet<SessionStatus> = new Set(['starting', 'connecting']);

/**
 * Asks WhatsApp, through the worker that holds the session, for a code to type on the phone.
 * @throws session.already_linked, session.not_ready, session.not_pairing, session.pairing_replaced, session.pairing_failed
 */
export async function askForPairingCode(
  parts: Parts,
  ctx: Context,
  id: string,
  phone: string,
): Promise<string> {
  const ready = await parts.waitUntil(
    ctx,
    id,
    ({ status, phone: linked }) => !COMING_UP.has(status) || linked !== null,
    10_000,
  );
  if (ready.phone !== null) throw sessionErrors.alreadyLinked();
  if (COMING_UP.has(ready.status)) throw notReady(ready);
  if (ready.status !== 'pairing') {
    throw sessionErrors.notPairing({ detail: `The session is ${ready.status}.` });
  }

  await parts.database.accountOnce(ctx, (tx) => store.requestPairingCode(tx, id, phone));
  await parts.wake(ctx, id);
  const answered = await parts.waitUntil(
    ctx,
    id,
    (row) => row.pairing_phone !== phone || row.pairing_code !== null || row.pairing_error !== null,
    20_000,
  );
  if (answered.phone !== null) throw sessionErrors.alreadyLinked();
  if (answered.pairing_phone !== phone) throw sessionErrors.pairingReplaced();
  if (answered.pairing_code !== null) return answered.pairing_code;
  throw sessionErrors.pairingFailed(
    answered.pairing_error === null ? {} : { detail: answered.pairing_error },
  );
}
