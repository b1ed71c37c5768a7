import type { AccountTx, SystemTx } from '../../platform/db/scope.ts';

/** An account as stored. */
export interface AccountRow {
  id: string;
  name: string;
  /** Where Pingr writes to its owner. */
  email: string | null;
  created_at: Date;
}

const COLUMNS = 'id, name, email, created_at';

/** The account of the scope. */
export async function findAccount(tx: AccountTx): Promise<AccountRow | undefined> {
  const [row] = await tx.query<AccountRow>(`select ${COLUMNS} from accounts`);
  return row;
}

/** Changes the account of the scope. Fields that are not given stay. */
export async function updateAccount(
  tx: AccountTx,
  { name, email }: { name?: string | undefined; email?: string | null | undefined },
): Promise<AccountRow | undefined> {
  const [row] = await tx.query<AccountRow>(
    `update accounts set name = coalesce($1, name), email = case when $2 then $3 else email end returning ${COLUMNS}`,
    [name ?? null, email !== undefined, email ?? null],
  );
  return row;
}

/** Where to write to an account's owner; null where that is not known. */
export async function findOwnerEmail(tx: AccountTx | SystemTx, accountId: string): Promise<string | null> {
  const [row] = await tx.query<{ email: string | null }>('select email from accounts where id = $1', [
    accountId,
  ]);
  return row?.email ?? null;
}
