import type { Clock } from '../../lib/clock.ts';
import type { NewUuid } from '../../lib/ids.ts';
import type { Context } from '../../platform/context.ts';
import type { Vault } from '../../platform/crypto/vault.ts';
import type { Database } from '../../platform/db/database.ts';
import { type AccountScope, bothModes, type SystemTx } from '../../platform/db/scope.ts';
import { accountErrors } from './accounts.errors.ts';
import { type AccountRow, findAccount, updateAccount } from './accounts.store.ts';
import * as system from './accounts.system.ts';

/** The use cases of accounts (the tenants). Ids are UUIDs. */
export interface AccountsService {
  /**
   * Makes an account and its data key, which becomes that of the person who first signs in by `email`. For operators and
   * the first start, not for callers of the API.
   */
  create(account: { name: string; email?: string | undefined }): Promise<AccountRow>;
  /** Makes one for somebody who is becoming its owner in the same transaction. @returns its UUID */
  open(tx: SystemTx, account: { name: string; email: string }): Promise<string>;
  /** Takes the account, once, that an operator made for this verified address and that nobody is a member of. */
  claim(tx: SystemTx, email: string): Promise<string | undefined>;
  /** Whether there is any account. */
  any(): Promise<boolean>;
  /** The caller's account. @throws account.not_found once it was erased */
  get(ctx: Pick<Context, 'accountId'>): Promise<AccountRow>;
  /** Changes what is given; `email: null` forgets the address. @throws account.not_found once it was erased */
  update(
    ctx: AccountScope,
    change: { name?: string | undefined; email?: string | null | undefined },
  ): Promise<AccountRow>;
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
      const [id, at] = [newUuid(), clock.now()];
      const wrappedKey = vault.newWrappedKey(id);
      const claimableBy = email?.toLowerCase() ?? null;
      await database.systemOnce((tx) =>
        system.insertAccount(tx, { id, name, email, claimableBy, wrappedKey, at }),
      );
      return { id, name, email, created_at: at };
    },

    async open(tx, { name, email }) {
      const id = newUuid();
      const wrappedKey = vault.newWrappedKey(id);
      await system.insertAccount(tx, { id, name, email, claimableBy: null, wrappedKey, at: clock.now() });
      return id;
    },

    claim: system.claimAccount,

    any: () => database.systemOnce(system.hasAccounts),

    get: async ({ accountId }) => existing(await database.accountOnce({ accountId }, findAccount)),

    update: async (ctx, change) =>
      existing(await database.accountOnce(bothModes(ctx), (tx) => updateAccount(tx, change))),
  };
}

function existing(account: AccountRow | undefined): AccountRow {
  if (account === undefined) throw accountErrors.notFound();
  return account;
}
