import type { AccountTx } from '../../platform/db/scope.ts';

/** An account as stored. */
export interface AccountRow {
  id: string;
  name: string;
  created_at: Date;
}

/** The account of the scope. */
export async function findAccount(tx: AccountTx): Promise<AccountRow | undefined> {
  const [row] = await tx.query<AccountRow>('select id, name, created_at from accounts');
  return row;
}
