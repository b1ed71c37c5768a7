import { toId } from '../../lib/ids.ts';
import { formatMoney } from '../../lib/money.ts';
import type { SystemTx } from '../../platform/db/scope.ts';
import { findPayer, type InvoiceOwner, writeInvoice } from './invoices.system.ts';
import type { SeenInvoice } from './payment-provider.ts';
import type { RefreshParts } from './refresh-subscription.ts';
import { announceBilling } from './settle.system.ts';

type BookParts = Pick<RefreshParts, 'mail' | 'newUuid' | 'clock'>;

/** Stores an invoice; when it is paid, says so once, by a fact and by mail. */
export async function bookInvoice(
  tx: SystemTx,
  parts: BookParts,
  payment: { owner: InvoiceOwner; invoice: SeenInvoice },
): Promise<void> {
  const { owner, invoice } = payment;
  const id = await writeInvoice(tx, parts.newUuid(), owner, invoice);
  // A credit is no payment.
  if (id === undefined || invoice.amount <= 0) return;
  const { number, amount, currency } = invoice;
  const { accountId, plan } = owner;
  const data = { id: toId('invoice', id), number, amount, currency, plan };
  const at = parts.clock.now();
  await announceBilling(tx, { id: parts.newUuid(), accountId, type: 'invoice.paid', data, at });
  await mailReceipt(tx, parts, payment);
}

async function mailReceipt(
  tx: SystemTx,
  { mail, clock }: BookParts,
  { owner: { accountId, plan }, invoice }: { owner: InvoiceOwner; invoice: SeenInvoice },
): Promise<void> {
  const payer = await findPayer(tx, accountId, plan);
  if (payer === undefined) return;
  const { amount, currency, paidAt, number, url } = invoice;
  await mail.sendToOwners(tx, {
    accountId,
    template: 'receipt',
    values: {
      accountName: payer.account_name,
      planName: payer.plan_name,
      amount: formatMoney({ amount, currency }),
      paidAt: paidAt ?? clock.now(),
      number,
      ...(url !== null && { url }),
    },
  });
}
