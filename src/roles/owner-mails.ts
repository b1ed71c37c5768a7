import type { MailService } from '../features/mail/mail.service.ts';
import { isMailedSince } from '../features/mail/mail.system.ts';
import type { SessionEnd } from '../features/sessions/session-reports.service.ts';
import { type Hold, readName } from '../features/sessions/sessions.system.ts';
import type { DisabledEndpoint } from '../features/webhooks/disable.system.ts';
import { toId } from '../lib/ids.ts';
import { systemClock } from '../lib/system-clock.ts';
import type { SystemTx } from '../platform/db/scope.ts';

/** Tests end many sessions on purpose: in test mode an account gets one such mail in this time. */
const TEST_PAUSE_MS = 3_600_000;

/** Tells the owners that Pingr switched a webhook endpoint off. */
export async function mailDisabled(
  mails: MailService,
  tx: SystemTx,
  endpoint: DisabledEndpoint,
): Promise<void> {
  const { id, accountId, url, mode, reason, failingSince, disabledAt } = endpoint;
  const endpointId = toId('webhookEndpoint', id);
  const values = { endpointId, url, mode, reason, failingSince, disabledAt };
  await mails.sendToOwners(tx, { accountId, template: 'webhook_disabled', values });
}

/** Tells the owners that a linked number ended and must be linked again. */
export async function mailEnded(
  mails: MailService,
  tx: SystemTx,
  { sessionId, accountId, mode }: Hold,
  { phone, detail }: SessionEnd,
): Promise<void> {
  const sessionName = await readName(tx, sessionId);
  if (sessionName === undefined) return;
  const template = 'session_disconnected';
  const since = new Date(systemClock.now().getTime() - TEST_PAUSE_MS);
  if (mode === 'test' && (await isMailedSince(tx, { accountId, template, since }))) return;
  await mails.sendToOwners(tx, {
    accountId,
    template,
    values: { sessionName, phone: `+${phone}`, mode, detail },
  });
}
