import type { Database } from '../../platform/db/database.ts';
import type { Jobs } from '../../platform/jobs/jobs.ts';
import type { Log } from '../../platform/log/log.ts';
import { endSuperseded } from './end-subscriptions.ts';
import { paymentEventQueue } from './payment-events.jobs.ts';
import * as events from './payment-events.system.ts';
import type { PaymentProvider, WebhookInput } from './payment-provider.ts';
import type { PaymentProviders } from './providers.ts';
import { refreshDispute } from './refresh-dispute.ts';
import { refreshRefunds } from './refresh-refunds.ts';
import { type Refreshed, type RefreshParts, refreshSubscription } from './refresh-subscription.ts';

export interface ReceiveParts {
  database: Pick<Database, 'systemOnce'>;
  jobs: Pick<Jobs, 'queue'>;
  log: Log;
}

/**
 * Takes a webhook in: checked, stored once, and its work left to a job. A lost job is found by the upkeep.
 * @throws billing.webhook_signature_invalid or billing.webhook_unreadable
 */
export async function receivePaymentEvent(
  { database, jobs, log }: ReceiveParts,
  provider: PaymentProvider,
  input: WebhookInput,
): Promise<void> {
  const notice = provider.readWebhook(input);
  const fresh = await database.systemOnce((tx) => events.insertPaymentEvent(tx, provider.name, notice));
  log.info({ provider: provider.name, event: notice.eventId, type: notice.type, fresh }, 'payment webhook');
  if (!fresh || (notice.subscriptionId === null && notice.paymentId === null)) return;
  await jobs
    .queue(paymentEventQueue)
    .add({ provider: provider.name, event_id: notice.eventId })
    .catch((error: unknown) =>
      log.warn({ err: error }, 'payment event has no job, the upkeep will make one'),
    );
}

/** Does what a webhook asks for: a look at the subscription, the refund or the dispute. Running twice does no harm. */
export async function workOnPaymentEvent(
  parts: RefreshParts & { providers: PaymentProviders },
  provider: PaymentProvider,
  eventId: string,
): Promise<void> {
  const { database, log } = parts;
  const name = { provider: provider.name, eventId };
  const event = await database.systemOnce((tx) => events.findOpenEvent(tx, name));
  if (event === undefined) return;
  const result = await look(parts, provider, event);
  if (result.ignored !== undefined)
    log.warn({ ...name, ignored: result.ignored }, 'payment event changed nothing');
  await database.systemOnce((tx) => events.closeEvent(tx, name, result));
}

async function look(
  parts: RefreshParts & { providers: PaymentProviders },
  provider: PaymentProvider,
  { subscriptionId, paymentId, disputeId }: events.EventSubject,
): Promise<Refreshed> {
  if (subscriptionId !== null) {
    const result = await refreshSubscription(parts, provider, subscriptionId);
    if (result.ignored === undefined) await endSuperseded(parts, result.accountId);
    return result;
  }
  if (paymentId === null) return { ignored: 'it is about no subscription' };
  if (disputeId !== null) return refreshDispute(parts, provider, { paymentId, disputeId });
  return refreshRefunds(parts, provider, paymentId);
}
