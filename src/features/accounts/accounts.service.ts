import type { Clock } from '../../lib/clock.ts';
import type { NewUuid } from '../../lib/ids.ts';
import type { Context } from '../../platform/context.ts';
import type { Vault } from '../../platform/crypto/vault.ts';
import type { Database } from '../../platform/db/database.ts';
import { type AccountScope, type AccountTx, bothModes, type SystemTx } from '../../platform/db/scope.ts';
import { accountErrors } from './accounts.errors.ts';
import { type AccountRow, findAccount, findOwnerEmail, updateAccount } from './accounts.store.ts';
import * as system from './accounts.system.ts';

/** The use cases of accounts (the tenants). Ids are UUIDs. */
export interface AccountsService {
  /** Makes an account and its data key. For operators and the first start, not for callers of the API. */
  create(account: { name: string; email?: string | undefined }): Promise<AccountRow>;
  /** The same in a transaction. @returns its UUID */
  open(tx: SystemTx, account: { name: string; email: string }): Promise<string>;
  /** An account that nobody is a member of, made by an operator for the owner of this e-mail address; locked. */
  findUnclaimed(tx: SystemTx, email: string): Promise<string | undefined>;
  /** Whether there is any account. */
  any(): Promise<boolean>;
  /** The caller's account. @throws account.not_found once it was erased */
  get(ctx: Pick<Context, 'accountId'>): Promise<AccountRow>;
  /** Changes what is given; `email: null` forgets the address. @throws account.not_found once it was erased */
  update(
    ctx: AccountScope,
    change: { name?: string | undefined; email?: string | null | undefined },
  ): Promise<AccountRow>;
  /** Where to write to an account's owner; null where nobody has said. */
  ownerEmail(tx: AccountTx | SystemTx, accountId: string): Promise<string | null>;
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
    async create({ name, email = null }) {
      const account = { id: newUuid(), name, email, created_at: clock.now() };
      const wrappedKey = vault.newWrappedKey(account.id);
      await database.systemOnce((tx) =>
        system.insertAccount(tx, { id: account.id, name, email, wrappedKey, at: account.created_at }),
      );
      return account;
    },

    async open(tx, { name, email }) {
      const id = newUuid();
      const wrappedKey = vault.newWrappedKey(id);
      await system.insertAccount(tx, { id, name, email, wrappedKey, at: clock.now() });
      return id;
    },

    findUnclaimed: system.findUnclaimedAccount,

    any: () => database.systemOnce(system.hasAccounts),

    get: async ({ accountId }) => existing(await database.accountOnce({ accountId }, findAccount)),

    update: async (ctx, change) =>
      existing(await database.accountOnce(bothModes(ctx), (tx) => updateAccount(tx, change))),

    ownerEmail: findOwnerEmail,
  };
}

function existing(account: AccountRow | undefined): AccountRow {
  if (account === undefined) throw accountErrors.notFound();
  return account;
}
