import type { SystemTx } from '../../platform/db/scope.ts';
import type { PaymentNotice } from './payment-provider.ts';
import type { ProviderName } from './plans.model.ts';

export interface PaymentEventName {
  provider: ProviderName;
  eventId: string;
}

/** Stores a webhook. @returns false for one that came before */
export async function insertPaymentEvent(
  tx: SystemTx,
  provider: ProviderName,
  { eventId, type, subscriptionId, invoiceId, paymentId, disputeId }: PaymentNotice,
): Promise<boolean> {
  const rows = await tx.query(
    `insert into payment_events (provider, event_id, type, provider_subscription_id, provider_invoice_id,
       provider_payment_id, provider_dispute_id, processed_at, ignored)
     select $1, $2, $3, $4, $5, $6, $7, case when nothing then now() end,
       case when nothing then 'it is about no subscription' end
     from (select $4::text is null and $6::text is null as nothing) about
     on conflict do nothing returning 1`,
    [provider, eventId, type, subscriptionId, invoiceId, paymentId, disputeId],
  );
  return rows.length > 0;
}

/** The provider's ids of what a webhook is about. */
export type EventSubject = Pick<PaymentNotice, 'subscriptionId' | 'paymentId' | 'disputeId'>;

/** What a webhook is about; `undefined` where it has been worked on. */
export async function findOpenEvent(
  tx: SystemTx,
  { provider, eventId }: PaymentEventName,
): Promise<EventSubject | undefined> {
  const [row] = await tx.query<EventSubject>(
    `select provider_subscription_id as "subscriptionId", provider_payment_id as "paymentId",
       provider_dispute_id as "disputeId" from payment_events
     where provider = $1 and event_id = $2 and processed_at is null`,
    [provider, eventId],
  );
  return row;
}

/** Notes that a webhook was worked on, and why it changed nothing where it did not. */
export async function closeEvent(
  tx: SystemTx,
  { provider, eventId }: PaymentEventName,
  result: { accountId?: string; ignored?: string | undefined },
): Promise<void> {
  await tx.query(
    `update payment_events set processed_at = now(), account_id = $3, ignored = $4
     where provider = $1 and event_id = $2`,
    [provider, eventId, result.accountId ?? null, result.ignored ?? null],
  );
}

/** Webhooks whose job was lost. */
export async function openEvents(
  tx: SystemTx,
  olderThanSeconds: number,
  limit: number,
): Promise<PaymentEventName[]> {
  return tx.query<PaymentEventName>(
    `select provider, event_id as "eventId" from payment_events
     where processed_at is null and received_at < now() - make_interval(secs => $1)
     order by received_at limit $2`,
    [olderThanSeconds, limit],
  );
}
