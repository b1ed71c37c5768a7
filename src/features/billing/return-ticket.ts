import type { SystemTx } from '../../platform/db/scope.ts';
import { bookInvoice } from './book-invoice.ts';
import { lockMirror } from './mirrors.system.ts';
import type { PaymentProvider, SeenInvoice } from './payment-provider.ts';
import { type RefreshParts, refreshSubscription } from './refresh-subscription.ts';
import * as system from './returns.system.ts';

/** A place among the looks at a payment, or why there is nothing to look at. */
export type ReturnTicket = { ticket: number; ignored?: undefined } | { ignored: string };

/**
 * Takes a place among the looks at a payment. A refund or a dispute may be heard of before its invoice: then that is
 * asked for first.
 * @throws what the provider throws
 */
export async function takeReturnTicket(
  parts: RefreshParts,
  provider: PaymentProvider,
  paymentId: string,
  kind: system.ReturnKind,
): Promise<ReturnTicket> {
  const { database } = parts;
  const take = () =>
    database.systemOnce((tx) => system.takeReturnTicket(tx, { provider: provider.name, paymentId }, kind));
  const ticket = await take();
  if (ticket !== undefined) return { ticket };
  const found = await provider.findInvoice(paymentId);
  if (found === undefined) return { ignored: 'the payment is for no subscription' };
  const refreshed = await refreshSubscription(parts, provider, found.subscriptionId);
  if (refreshed.ignored !== undefined) return refreshed;
  await database.system((tx) => know(tx, parts, provider, { ...found, paymentId }));
  const again = await take();
  return again === undefined ? { ignored: 'another payment paid the invoice' } : { ticket: again };
}

/** Stores the invoice where it is too old to be listed, and which payment paid it. */
async function know(
  tx: SystemTx,
  parts: RefreshParts,
  { name: provider }: PaymentProvider,
  { subscriptionId, invoice, paymentId }: { subscriptionId: string; invoice: SeenInvoice; paymentId: string },
): Promise<void> {
  const mirror = await lockMirror(tx, { provider, subscriptionId });
  if (mirror === undefined) throw new Error('the subscription has gone with its account');
  const { account_id: accountId, plan } = mirror;
  await bookInvoice(tx, parts, { owner: { accountId, provider, subscriptionId, plan }, invoice });
  await system.linkPayment(tx, { provider, paymentId }, invoice.id);
}
