import type { AccountTx } from '../../platform/db/scope.ts';

/** How long the account's contents are kept in fact. */
export interface KeptContent {
  /** 0 for none. */
  days: number;
  /** After a change to a plan that keeps less: when that comes to hold, and how many days it keeps. */
  shortens_at: Date | null;
  shortens_to: number | null;
}

/** @returns undefined once the account is gone */
export async function findKeptContent(tx: AccountTx): Promise<KeptContent | undefined> {
  const [row] = await tx.query<KeptContent>(
    `select app.kept_content_days(a.id) as days, n.at as shortens_at, n.days as shortens_to
     from accounts a cross join lateral app.next_content_days(a.id) n`,
  );
  return row;
}

/** The most days that the account's plan allows; null where it sets no limit. */
export async function findMostContentDays(tx: AccountTx): Promise<number | null> {
  const [row] = await tx.query<{ most: number | null }>(
    'select app.most_content_days(id) as most from accounts',
  );
  return row?.most ?? null;
}

export async function setContentDays(tx: AccountTx, days: number): Promise<void> {
  await tx.query('update accounts set content_days = $1', [days]);
}
