import type { SystemTx } from '../../platform/db/scope.ts';
import type { SeenInvoice } from './payment-provider.ts';
import type { ProviderName } from './plans.model.ts';

export interface InvoiceOwner {
  accountId: string;
  provider: ProviderName;
  subscriptionId: string;
  plan: string;
}

/**
 * Stores an invoice as the provider shows it. What is paid stays paid, whatever an older look says.
 * @returns the UUID of the invoice where it is paid from now on, which is said once; else undefined
 */
export async function writeInvoice(
  tx: SystemTx,
  id: string,
  owner: InvoiceOwner,
  invoice: SeenInvoice,
): Promise<string | undefined> {
  const [row] = await tx.query<{ id: string; paid: boolean }>(
    `insert into invoices as i (id, account_id, provider, provider_invoice_id, provider_subscription_id,
       provider_payment_id, number, status, amount, currency, plan, period_start, period_end, issued_at, paid_at, url)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
     on conflict (provider, provider_invoice_id) do update set
       status = excluded.status, paid_at = excluded.paid_at, url = excluded.url, number = excluded.number,
       provider_payment_id = coalesce(excluded.provider_payment_id, i.provider_payment_id)
       where i.status <> 'paid' and i.status <> excluded.status
     returning id, status = 'paid' as paid`,
    [
      id,
      owner.accountId,
      owner.provider,
      invoice.id,
      owner.subscriptionId,
      invoice.paymentId,
      invoice.number,
      invoice.status,
      invoice.amount,
      invoice.currency,
      owner.plan,
      invoice.periodStart,
      invoice.periodEnd,
      invoice.issuedAt,
      invoice.paidAt,
      invoice.url,
    ],
  );
  return row?.paid === true ? row.id : undefined;
}

/** For what to thank; `undefined` once the account is gone. */
export async function findPayer(
  tx: SystemTx,
  accountId: string,
  plan: string,
): Promise<{ account_name: string; plan_name: string } | undefined> {
  const [row] = await tx.query<{ account_name: string; plan_name: string }>(
    `select a.name as account_name, p.name as plan_name from accounts a, app.plans p where a.id = $1 and p.id = $2`,
    [accountId, plan],
  );
  return row;
}
