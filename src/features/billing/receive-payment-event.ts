import type { Database } from '../../platform/db/database.ts';
import type { Jobs } from '../../platform/jobs/jobs.ts';
import type { Log } from '../../platform/log/log.ts';
import { endDoubles } from './end-subscriptions.ts';
import { paymentEventQueue } from './payment-events.jobs.ts';
import * as events from './payment-events.system.ts';
import type { PaymentProvider, WebhookInput } from './payment-provider.ts';
import type { PaymentProviders } from './providers.ts';
import { type RefreshParts, refreshSubscription } from './refresh-subscription.ts';

export interface ReceiveParts {
  database: Pick<Database, 'systemOnce'>;
  jobs: Pick<Jobs, 'queue'>;
  log: Log;
}

/**
 * Takes a webhook in: checked, stored once, and its work left to a job. A lost job is found by the upkeep.
 * @throws billing.webhook_signature_invalid
 */
export async function receivePaymentEvent(
  { database, jobs, log }: ReceiveParts,
  provider: PaymentProvider,
  input: WebhookInput,
): Promise<void> {
  const notice = provider.readWebhook(input);
  const fresh = await database.systemOnce((tx) => events.insertPaymentEvent(tx, provider.name, notice));
  log.info({ provider: provider.name, event: notice.eventId, type: notice.type, fresh }, 'payment webhook');
  if (!fresh || notice.subscriptionId === null) return;
  await jobs
    .queue(paymentEventQueue)
    .add({ provider: provider.name, event_id: notice.eventId })
    .catch((error: unknown) =>
      log.warn({ err: error }, 'payment event has no job, the upkeep will make one'),
    );
}

/** Does what a webhook asks for: a look at the subscription that it is about. Running twice does no harm. */
export async function workOnPaymentEvent(
  parts: RefreshParts & { providers: PaymentProviders },
  provider: PaymentProvider,
  eventId: string,
): Promise<void> {
  const { database, log } = parts;
  const name = { provider: provider.name, eventId };
  const event = await database.systemOnce((tx) => events.findOpenEvent(tx, name));
  if (event === undefined) return;
  const result = await refreshSubscription(parts, provider, event.subscriptionId);
  if (result.ignored !== undefined)
    log.warn({ ...name, ignored: result.ignored }, 'payment event changed nothing');
  else await endDoubles(parts, result.accountId);
  await database.systemOnce((tx) => events.closeEvent(tx, name, result));
}
