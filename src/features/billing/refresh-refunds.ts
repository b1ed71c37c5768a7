import type { SystemTx } from '../../platform/db/scope.ts';
import type { PaymentProvider, SeenPayment } from './payment-provider.ts';
import type { Refreshed, RefreshParts } from './refresh-subscription.ts';
import { laterRefund, refundNews, refundStatusOf } from './refunds.model.ts';
import { tellRefund } from './return-notices.ts';
import { takeReturnTicket } from './return-ticket.ts';
import { lockPaidInvoice, writeRefund } from './returns.system.ts';

/**
 * Asks the provider how much of a payment went back in all, and stores that. Totals are compared, never added up, so it
 * may be called at any time, in any order and by many at once: the latest look wins.
 * @throws what the provider throws; nothing was stored then
 */
export async function refreshRefunds(
  parts: RefreshParts,
  provider: PaymentProvider,
  paymentId: string,
): Promise<Refreshed> {
  const place = await takeReturnTicket(parts, provider, paymentId, 'refund');
  if (place.ignored !== undefined) return place;
  const seen = await provider.fetchPayment(paymentId);
  if (seen === undefined) return { ignored: 'the provider knows no such payment' };
  const look = { provider, paymentId, ticket: place.ticket, seen };
  const accountId = await parts.database.system((tx) => store(tx, parts, look));
  parts.onFact(accountId);
  parts.mail.wake();
  return { accountId };
}

/** @returns the account */
async function store(
  tx: SystemTx,
  parts: RefreshParts,
  look: { provider: PaymentProvider; paymentId: string; ticket: number; seen: SeenPayment },
): Promise<string> {
  const { provider, paymentId, ticket, seen } = look;
  const invoice = await lockPaidInvoice(tx, { provider: provider.name, paymentId });
  if (invoice === undefined) throw new Error('the invoice has gone with its account');
  const known = { ticket: invoice.refund_ticket };
  if (laterRefund(known, look) === known) return invoice.account_id;
  const { amount, amountRefunded } = seen;
  const status = refundStatusOf(amount, amountRefunded);
  await writeRefund(tx, invoice.id, { ticket, amountRefunded, status });
  const news = refundNews(invoice.amount_refunded, amountRefunded);
  if (news) await tellRefund(tx, parts, { invoice, news, amountRefunded, status });
  return invoice.account_id;
}
