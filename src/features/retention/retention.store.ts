import type { AccountTx } from '../../platform/db/scope.ts';

/** Days for which the account's contents are kept in fact, 0 for none; `undefined` once the account is gone. */
export async function findContentDays(tx: AccountTx): Promise<number | undefined> {
  const [row] = await tx.query<{ days: number }>('select app.kept_content_days(id) as days from accounts');
  return row?.days;
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
