import type { Clock } from '../../lib/clock.ts';
import type { NewUuid } from '../../lib/ids.ts';
import type { Cause } from '../../platform/context.ts';
import type { Database } from '../../platform/db/database.ts';
import { actFor, type SystemTx } from '../../platform/db/scope.ts';
import type { Log } from '../../platform/log/log.ts';
import type { MailService } from '../mail/mail.service.ts';
import { bookInvoice } from './book-invoice.ts';
import * as mirrors from './mirrors.system.ts';
import type { PaymentProvider, SeenInvoice, SeenPrice, SeenSubscription } from './payment-provider.ts';
import type { PlanPrice } from './plans.model.ts';
import { settleAccount } from './settle-account.ts';
import { laterLook } from './subscription.model.ts';

export interface RefreshParts {
  database: Database;
  mail: Pick<MailService, 'sendToOwners' | 'wake'>;
  newUuid: NewUuid;
  clock: Pick<Clock, 'now'>;
  log: Log;
  /** Called with the account after facts were committed. */
  onFact: (accountId: string) => void;
}

/** What came of a look; `ignored` says why nothing did. */
export type Refreshed = { accountId: string; ignored?: undefined } | { ignored: string };

/**
 * Asks the provider for a subscription and its invoices, and stores what it says, with everything that follows. May be
 * called at any time, in any order and by many at once: the latest look wins.
 * @param cause of what is seen, for the audit log; without it that of a caller who asks for a change just now, if any
 * @throws what the provider throws; nothing was stored then
 */
export async function refreshSubscription(
  parts: RefreshParts,
  provider: PaymentProvider,
  subscriptionId: string,
  cause?: Cause,
): Promise<Refreshed> {
  const { database } = parts;
  const name = { provider: provider.name, subscriptionId };
  const ticket = await database.systemOnce((tx) => mirrors.takeTicket(tx, name));
  const seen = await provider.fetchSubscription(subscriptionId);
  if (seen === undefined) return { ignored: 'the provider knows no such subscription' };
  const price = await resolvePrice(parts, provider, seen.price);
  if (price === undefined) return { ignored: 'the price was not made here' };
  if (ticket === undefined) {
    const made = await adopt(parts, provider, seen, price);
    // Again, with a ticket: others may be looking as well.
    return made
      ? refreshSubscription(parts, provider, subscriptionId, cause)
      : { ignored: 'it belongs to no account' };
  }
  const scheduled =
    seen.scheduledPriceId === null
      ? undefined
      : await resolvePrice(parts, provider, { priceId: seen.scheduledPriceId });
  const invoices = seen.status === 'incomplete' ? [] : await provider.listInvoices(subscriptionId);
  const accountId = await database.system((tx) =>
    store(tx, parts, { provider, ticket, seen, price, scheduled, invoices, cause }),
  );
  parts.onFact(accountId);
  parts.mail.wake();
  return { accountId };
}

async function resolvePrice(
  { database }: RefreshParts,
  { name, merchant }: PaymentProvider,
  price: SeenPrice,
): Promise<PlanPrice | undefined> {
  if (!('priceId' in price)) return price.plan === '' ? undefined : price;
  return database.systemOnce((tx) =>
    mirrors.findPrice(tx, { provider: name, merchant, priceId: price.priceId }),
  );
}

async function adopt(
  { database, newUuid }: RefreshParts,
  provider: PaymentProvider,
  { id, accountId, startedBy, renews }: SeenSubscription,
  price: PlanPrice,
): Promise<boolean> {
  if (accountId === undefined) return false;
  const mirror = { id: newUuid(), accountId, provider: provider.name, subscriptionId: id, price, renews };
  return database.system(async (tx) => {
    if (startedBy !== undefined) await actFor(tx, startedBy);
    return mirrors.insertMirror(tx, mirror);
  });
}

interface Finding {
  provider: PaymentProvider;
  ticket: number;
  seen: SeenSubscription;
  price: PlanPrice;
  scheduled: PlanPrice | undefined;
  invoices: SeenInvoice[];
  cause: Cause | undefined;
}

/** @returns the account */
async function store(tx: SystemTx, parts: RefreshParts, finding: Finding): Promise<string> {
  const { provider, ticket, seen } = finding;
  const row = await mirrors.lockMirror(tx, { provider: provider.name, subscriptionId: seen.id });
  if (row === undefined) throw new Error('the subscription has gone with its account');
  const { account_id: accountId } = row;
  await actFor(tx, finding.cause ?? row.asked_by ?? {});
  const look = { ticket, seen };
  if (laterLook({ ticket: row.ticket, seen: row }, look) === look)
    await mirrors.writeLook(tx, row.id, finding);
  if (seen.customerId !== null) {
    const { name, merchant } = provider;
    await mirrors.keepCustomer(tx, { accountId, provider: name, merchant, customerId: seen.customerId });
  }
  await settleAccount(tx, accountId, parts);
  const owner = { accountId, provider: provider.name, subscriptionId: seen.id, plan: finding.price.plan };
  for (const invoice of finding.invoices) await bookInvoice(tx, parts, { owner, invoice });
  return accountId;
}
