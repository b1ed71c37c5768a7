import type { SystemTx } from '../../platform/db/scope.ts';
import type { PlanPrice, ProviderName } from './plans.model.ts';

interface PriceAt {
  provider: ProviderName;
  merchant: string;
  price: PlanPrice;
}

/** The provider's id of a price; `undefined` where it was not made there yet. */
export async function findProviderPrice(
  tx: SystemTx,
  { provider, merchant, price }: PriceAt,
): Promise<string | undefined> {
  const [row] = await tx.query<{ id: string }>(
    `select provider_price_id as id from app.provider_prices
     where provider = $1 and merchant = $2 and plan = $3 and interval = $4 and currency = $5 and amount = $6`,
    [provider, merchant, price.plan, price.interval, price.currency, price.amount],
  );
  return row?.id;
}

/** Keeps the provider's id of a price. @returns the one that counts, where two were made at once */
export async function keepProviderPrice(
  tx: SystemTx,
  { provider, merchant, price }: PriceAt,
  priceId: string,
): Promise<string> {
  const [row] = await tx.query<{ id: string }>(
    `insert into app.provider_prices as p (provider, merchant, plan, interval, currency, amount, provider_price_id)
     values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (provider, merchant, plan, interval, currency, amount) do update set provider_price_id = p.provider_price_id
     returning provider_price_id as id`,
    [provider, merchant, price.plan, price.interval, price.currency, price.amount, priceId],
  );
  return row?.id ?? priceId;
}
