import type { SystemTx } from '../../platform/db/scope.ts';

/** An account that is new. */
export interface NewAccount {
  id: string;
  name: string;
  email: string | null;
  /** Whose it becomes who signs in by this address, in lower case; null where its owner is known already. */
  claimableBy: string | null;
  wrappedKey: Uint8Array;
  at: Date;
}

/** Inserts an account together with its wrapped data key. */
export async function insertAccount(tx: SystemTx, account: NewAccount): Promise<void> {
  await tx.query(
    `with created as (
       insert into accounts (id, name, email, claimable_by, created_at) values ($1, $2, $5, $6, $4) returning id
     ) insert into account_data_keys (account_id, wrapped_key, created_at) select id, $3, $4 from created`,
    [account.id, account.name, account.wrappedKey, account.at, account.email, account.claimableBy],
  );
}

/** An account's data key as the master key wrapped it; `undefined` once the account was erased. */
export async function findWrappedKey(tx: SystemTx, accountId: string): Promise<Buffer | undefined> {
  const [row] = await tx.query<{ wrapped_key: Buffer }>(
    'select wrapped_key from account_data_keys where account_id = $1',
    [accountId],
  );
  return row?.wrapped_key;
}

/** Whether there is any account: false before the first start has made one. */
export async function hasAccounts(tx: SystemTx): Promise<boolean> {
  const [row] = await tx.query<{ found: boolean }>('select exists (select from accounts) as found');
  return row?.found ?? false;
}

/** Takes the oldest account that was made for this address and has no members, once; `undefined` where there is none. */
export async function claimAccount(tx: SystemTx, email: string): Promise<string | undefined> {
  const [row] = await tx.query<{ id: string }>(
    `update accounts set claimable_by = null where id = (
       select a.id from accounts a
       where a.claimable_by = $1 and not app.is_closed(a.id)
         and not exists (select from members m where m.account_id = a.id)
       order by a.created_at, a.id limit 1 for update of a
     ) returning id`,
    [email],
  );
  return row?.id;
}
