import type { AccountTx } from '../../platform/db/scope.ts';

/** An account as stored. */
export interface AccountRow {
  id: string;
  name: string;
  /** Where Pingr writes beside its owners. */
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
