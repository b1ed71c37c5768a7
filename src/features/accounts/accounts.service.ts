import type { Clock } from '../../lib/clock.ts';
import type { NewUuid } from '../../lib/ids.ts';
import type { Context } from '../../platform/context.ts';
import type { Vault } from '../../platform/crypto/vault.ts';
import type { Database } from '../../platform/db/database.ts';
import { accountErrors } from './accounts.errors.ts';
import { type AccountRow, findAccount } from './accounts.store.ts';
import * as system from './accounts.system.ts';

/** The use cases of accounts (the tenants). Ids are UUIDs. */
export interface AccountsService {
  /** Makes an account and its data key. For operators and the first start, not for callers of the API. */
  create(account: { name: string }): Promise<AccountRow>;
  /** Whether there is any account. */
  any(): Promise<boolean>;
  /** The caller's account. @throws account.not_found once it was erased */
  get(ctx: Pick<Context, 'accountId'>): Promise<AccountRow>;
}

export interface AccountsDependencies {
  database: Database;
  vault: Pick<Vault, 'newWrappedKey'>;
  newUuid: NewUuid;
  clock: Clock;
}

export function createAccountsService({
  database,
  vault,
  newUuid,
  clock,
}: AccountsDependencies): AccountsService {
  return {
    async create({ name }) {
      const account = { id: newUuid(), name, created_at: clock.now() };
      const wrappedKey = vault.newWrappedKey(account.id);
      await database.systemOnce((tx) =>
        system.insertAccount(tx, { id: account.id, name, wrappedKey, at: account.created_at }),
      );
      return account;
    },

    any: () => database.systemOnce(system.hasAccounts),

    async get({ accountId }) {
      const account = await database.accountOnce({ accountId }, findAccount);
      if (account === undefined) throw accountErrors.notFound();
      return account;
    },
  };
}
