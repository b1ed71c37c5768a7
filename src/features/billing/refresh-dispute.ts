import type { SystemTx } from '../../platform/db/scope.ts';
import type { PaymentProvider, SeenDispute } from './payment-provider.ts';
import type { Refreshed, RefreshParts } from './refresh-subscription.ts';
import { disputeNews, laterDispute, type TicketedDispute } from './refunds.model.ts';
import { tellDispute } from './return-notices.ts';
import { takeReturnTicket } from './return-ticket.ts';
import { lockPaidInvoice, type PaidInvoiceRow, writeDispute } from './returns.system.ts';

/**
 * Asks the provider how a dispute stands, and stores that. Changes nothing of the plan. May be called at any time, in any
 * order and by many at once.
 * @throws what the provider throws; nothing was stored then
 */
export async function refreshDispute(
  parts: RefreshParts,
  provider: PaymentProvider,
  { paymentId, disputeId }: { paymentId: string; disputeId: string },
): Promise<Refreshed> {
  const place = await takeReturnTicket(parts, provider, paymentId, 'dispute');
  if (place.ignored !== undefined) return place;
  const seen = await provider.fetchDispute(disputeId);
  if (seen?.paymentId !== paymentId) return { ignored: 'the provider knows no such dispute' };
  const look = { ...seen, ticket: place.ticket };
  const accountId = await parts.database.system((tx) => store(tx, parts, provider, look));
  parts.onFact(accountId);
  parts.mail.wake();
  return { accountId };
}

/** @returns the account */
async function store(
  tx: SystemTx,
  parts: RefreshParts,
  { name }: PaymentProvider,
  look: SeenDispute & { ticket: number },
): Promise<string> {
  const invoice = await lockPaidInvoice(tx, { provider: name, paymentId: look.paymentId });
  if (invoice === undefined) throw new Error('the invoice has gone with its account');
  const known = disputeOf(invoice);
  if (known !== null && laterDispute(known, look) === known) return invoice.account_id;
  await writeDispute(tx, invoice.id, look);
  const type = disputeNews(known, look);
  if (type) await tellDispute(tx, parts, { invoice, type, dispute: look });
  return invoice.account_id;
}

/** The dispute that an invoice is known to have. */
function disputeOf(row: PaidInvoiceRow): TicketedDispute | null {
  const {
    provider_dispute_id: id,
    dispute_status: status,
    disputed_at: openedAt,
    dispute_ticket: ticket,
  } = row;
  return id === null || status === null || openedAt === null ? null : { id, status, openedAt, ticket };
}
