import type { SystemTx } from '../../platform/db/scope.ts';
import type { ListedReturn, SeenDispute } from './payment-provider.ts';
import type { ProviderName } from './plans.model.ts';
import type { DisputeStatus, RefundStatus } from './refunds.model.ts';

/** Names a payment at a provider. */
export interface PaymentName {
  provider: ProviderName;
  paymentId: string;
}

/** What is looked at: each has its own place among the looks. */
export type ReturnKind = 'refund' | 'dispute';

const OF_PAYMENT = `(select id from invoices where provider = $1 and provider_payment_id = $2
  order by issued_at, id limit 1)`;

/** To take before looking at the provider; `undefined` where the payment's invoice is not known yet. */
export async function takeReturnTicket(
  tx: SystemTx,
  { provider, paymentId }: PaymentName,
  kind: ReturnKind,
): Promise<number | undefined> {
  const [row] = await tx.query<{ ticket: number }>(
    `update invoices set tickets = tickets + 1, ${kind}_looked_at = now() where id = ${OF_PAYMENT}
     returning tickets::float8 as ticket`,
    [provider, paymentId],
  );
  return row?.ticket;
}

/** An invoice that was paid, with what is known of refunds and disputes. */
export interface PaidInvoiceRow {
  id: string;
  account_id: string;
  account_name: string;
  number: string;
  amount: number;
  currency: string;
  plan: string | null;
  amount_refunded: number;
  refund_status: RefundStatus | null;
  refund_ticket: number;
  provider_dispute_id: string | null;
  dispute_status: DisputeStatus | null;
  dispute_amount: number | null;
  dispute_reason: string | null;
  disputed_at: Date | null;
  dispute_ticket: number;
}

/** The invoice that a payment paid, locked until the transaction ends. */
export async function lockPaidInvoice(
  tx: SystemTx,
  { provider, paymentId }: PaymentName,
): Promise<PaidInvoiceRow | undefined> {
  const [row] = await tx.query<PaidInvoiceRow>(
    `select i.id, i.account_id, a.name as account_name, i.number, i.amount::float8 as amount, i.currency, i.plan,
       i.amount_refunded::float8 as amount_refunded, i.refund_status, i.refund_ticket::float8 as refund_ticket,
       i.provider_dispute_id, i.dispute_status, i.dispute_amount::float8 as dispute_amount, i.dispute_reason, i.disputed_at,
       i.dispute_ticket::float8 as dispute_ticket
     from invoices i join accounts a on a.id = i.account_id where i.id = ${OF_PAYMENT} for update of i`,
    [provider, paymentId],
  );
  return row;
}

export async function writeRefund(
  tx: SystemTx,
  id: string,
  refund: { ticket: number; amountRefunded: number; status: RefundStatus | null },
): Promise<void> {
  await tx.query(
    'update invoices set refund_ticket = $2, amount_refunded = $3, refund_status = $4 where id = $1',
    [id, refund.ticket, refund.amountRefunded, refund.status],
  );
}

export async function writeDispute(
  tx: SystemTx,
  id: string,
  dispute: SeenDispute & { ticket: number },
): Promise<void> {
  await tx.query(
    `update invoices set dispute_ticket = $2, provider_dispute_id = $3, dispute_status = $4, dispute_amount = $5,
       dispute_reason = $6, disputed_at = $7 where id = $1`,
    [id, dispute.ticket, dispute.id, dispute.status, dispute.amount, dispute.reason, dispute.openedAt],
  );
}

/** Notes which payment paid an invoice, where that is not known. */
export async function linkPayment(
  tx: SystemTx,
  { provider, paymentId }: PaymentName,
  providerInvoiceId: string,
): Promise<void> {
  await tx.query(
    `update invoices set provider_payment_id = $2
     where provider = $1 and provider_invoice_id = $3 and provider_payment_id is null`,
    [provider, paymentId, providerInvoiceId],
  );
}

/** Of the refunds or disputes that a provider lists, those of known invoices that nobody has looked at since, or for long. */
export async function unseenReturns(
  tx: SystemTx,
  provider: ProviderName,
  kind: ReturnKind,
  listed: readonly ListedReturn[],
): Promise<Omit<ListedReturn, 'at'>[]> {
  return tx.query<Omit<ListedReturn, 'at'>>(
    `select distinct l.payment_id as "paymentId", l.dispute_id as "disputeId"
     from unnest($2::text[], $3::text[], $4::timestamptz[]) as l (payment_id, dispute_id, at)
     join invoices i on i.provider = $1 and i.provider_payment_id = l.payment_id
     where i.${kind}_looked_at is null
       or i.${kind}_looked_at < greatest(l.at + interval '1 minute', now() - interval '6 hours')`,
    [
      provider,
      listed.map(({ paymentId }) => paymentId),
      listed.map(({ disputeId }) => disputeId),
      listed.map(({ at }) => at),
    ],
  );
}

/** Disputes that are not decided and that nobody has looked at for a while. */
export async function staleDisputes(
  tx: SystemTx,
  provider: ProviderName,
  limit: number,
): Promise<Omit<ListedReturn, 'at'>[]> {
  return tx.query<Omit<ListedReturn, 'at'>>(
    `select provider_payment_id as "paymentId", provider_dispute_id as "disputeId" from invoices
     where provider = $1 and dispute_status in ('open', 'under_review')
       and dispute_looked_at < now() - interval '6 hours'
     order by dispute_looked_at limit $2`,
    [provider, limit],
  );
}
