import type { Context } from '../../platform/context.ts';
import type { Database } from '../../platform/db/database.ts';
import type { SessionAccess } from './session-access.ts';
import { sessionErrors } from './sessions.errors.ts';
import * as store from './sessions.store.ts';

interface Parts extends Pick<SessionAccess, 'waitUntil' | 'wake'> {
  database: Database;
}

/**
 * Asks WhatsApp, through the worker that holds the session, for a code to type on the phone.
 * @throws session.already_linked, session.not_ready, session.pairing_failed
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
    ({ status, phone: linked }) => status !== 'starting' || linked !== null,
    10_000,
  );
  if (ready.phone !== null) throw sessionErrors.alreadyLinked();
  if (ready.status !== 'pairing') throw sessionErrors.notReady({ retryAfter: 2 });

  await parts.database.accountOnce(ctx, (tx) => store.requestPairingCode(tx, id, phone));
  await parts.wake(ctx, id);
  const answered = await parts.waitUntil(
    ctx,
    id,
    (row) => row.pairing_code !== null || row.pairing_error !== null,
    20_000,
  );
  if (answered.pairing_code !== null) return answered.pairing_code;
  throw sessionErrors.pairingFailed(
    answered.pairing_error === null ? {} : { detail: answered.pairing_error },
  );
}
