import { toId } from '../../lib/ids.ts';
import { formatMoney } from '../../lib/money.ts';
import type { SystemTx } from '../../platform/db/scope.ts';
import type { SeenDispute } from './payment-provider.ts';
import type { RefreshParts } from './refresh-subscription.ts';
import type { DisputeNews, RefundNews, RefundStatus } from './refunds.model.ts';
import type { PaidInvoiceRow } from './returns.system.ts';
import { announceBilling } from './settle.system.ts';
import { showDispute } from './show-billing.ts';

type TellParts = Pick<RefreshParts, 'mail' | 'newUuid' | 'clock'>;

/** Says by a fact and by mail that money went back, or that it could not. */
export async function tellRefund(
  tx: SystemTx,
  parts: TellParts,
  refund: {
    invoice: PaidInvoiceRow;
    news: RefundNews;
    amountRefunded: number;
    status: RefundStatus | null;
  },
): Promise<void> {
  const { invoice, news, amountRefunded, status } = refund;
  const { account_id: accountId, account_name: accountName, number, currency } = invoice;
  const { type, refundAmount } = news;
  const at = parts.clock.now();
  const amounts = { refund_amount: refundAmount, amount_refunded: amountRefunded, refund_status: status };
  const data = { ...shown(invoice), ...amounts };
  await announceBilling(tx, { id: parts.newUuid(), accountId, type, data, at });
  const amount = formatMoney({ amount: refundAmount, currency });
  const inAll = formatMoney({ amount: amountRefunded, currency });
  if (type === 'invoice.refund_failed') {
    const values = { accountName, number, amount };
    await parts.mail.sendToOwners(tx, { accountId, template: 'refund_failed', values });
    return;
  }
  const values = {
    accountName,
    number,
    amount,
    refundedAt: at,
    ...(refundAmount !== amountRefunded && { inAll }),
  };
  await parts.mail.sendToOwners(tx, { accountId, template: 'credit_receipt', values });
}

/** Says by a fact and by mail that a payment is disputed, or how that ended. */
export async function tellDispute(
  tx: SystemTx,
  parts: TellParts,
  { invoice, type, dispute }: { invoice: PaidInvoiceRow; type: DisputeNews; dispute: SeenDispute },
): Promise<void> {
  const { account_id: accountId, account_name: accountName, number, currency } = invoice;
  const { status, amount, reason, openedAt } = dispute;
  const about = { status, amount, reason, opened_at: openedAt.toISOString() };
  const data = { ...shown(invoice), dispute: about };
  await announceBilling(tx, { id: parts.newUuid(), accountId, type, data, at: parts.clock.now() });
  const values = { accountName, number, amount: formatMoney({ amount, currency }), status };
  await parts.mail.sendToOwners(tx, { accountId, template: 'payment_disputed', values });
}

/** The invoice as it was before the news, but for what never changes once it is paid. */
function shown(invoice: PaidInvoiceRow) {
  const { id, number, amount, currency, plan, amount_refunded, refund_status } = invoice;
  const dispute = showDispute(invoice);
  return { id: toId('invoice', id), number, amount, currency, plan, amount_refunded, refund_status, dispute };
}
