import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';
import { accountRoutes } from '../../../src/features/accounts/accounts.routes.ts';
import { createAccountsService } from '../../../src/features/accounts/accounts.service.ts';
import { keyErrors } from '../../../src/features/api-keys/api-keys.errors.ts';
import { apiKeyRoutes } from '../../../src/features/api-keys/api-keys.routes.ts';
import { createApiKeysService, type NewKey } from '../../../src/features/api-keys/api-keys.service.ts';
import { createAuthenticator } from '../../../src/features/api-keys/authenticate-key.ts';
import { createKeyHash } from '../../../src/features/api-keys/key-hash.ts';
import { createKeyUsage } from '../../../src/features/api-keys/key-usage.ts';
import type { Clock } from '../../../src/lib/clock.ts';
import { newUuid } from '../../../src/lib/ids.ts';
import { systemClock } from '../../../src/lib/system-clock.ts';
import type { Database } from '../../../src/platform/db/database.ts';
import { createNotices } from '../../../src/platform/db/notices.ts';
import type { Route } from '../../../src/platform/http/route.ts';
import { openEdge } from '../../platform/http/open-edge.ts';
import { createTestDatabase, seedAccount, type TestDatabase } from '../../support/database.ts';
import { silentLog } from '../../support/log.ts';

export type Api = Awaited<ReturnType<typeof openApi>>;

/** The system clock, moved by `ahead` milliseconds. */
export function movableClock(): Clock & { ahead: number } {
  return {
    ahead: 0,
    now() {
      return new Date(Date.now() + this.ahead);
    },
    sleep: systemClock.sleep,
  };
}

/** What goes wrong with the database from now on. */
export interface Faults {
  database: (() => Error) | undefined;
}

/** The database, failing on demand for all but the check of keys. */
export function faulty(database: Database, faults: Faults): Database {
  const unlessFaulty = async <T>(run: () => Promise<T>): Promise<T> => {
    if (faults.database) throw faults.database();
    return run();
  };
  return {
    account: (scope, work) => unlessFaulty(() => database.account(scope, work)),
    accountOnce: (scope, work) => unlessFaulty(() => database.accountOnce(scope, work)),
    system: (work) => unlessFaulty(() => database.system(work)),
    systemOnce: (work) => unlessFaulty(() => database.systemOnce(work)),
  };
}

/** The API on a database of its own, with real keys: accounts, API keys and the routes given. */
export async function openApi(
  more: (parts: { db: TestDatabase; faults: Faults }) => Promise<Route[]> = async () => [],
) {
  const db = await createTestDatabase(inject('postgresUrl'));
  const { database, vault } = db;
  const log = silentLog;
  const clock = movableClock();
  const notices = createNotices({ url: db.url, clock: systemClock, log });
  const faults: Faults = { database: undefined };
  const hashKey = createKeyHash(randomBytes(32));
  const usage = createKeyUsage({ database, clock, log });
  const authenticate = await createAuthenticator({ database, notices, hashKey, usage, clock });
  const keys = createApiKeysService({
    database: faulty(database, faults),
    hashKey,
    newUuid,
    randomBytes,
    clock,
  });
  const accounts = createAccountsService({ database: faulty(database, faults), vault, newUuid, clock });
  const edge = await openEdge({
    database: faulty(database, faults),
    vault,
    failureLimit: 20,
    refusals: Object.values(keyErrors),
    rateLimitOf: ({ scopes }) => (scopes.has('limited') ? 1 : 10_000),
    authenticate,
    trustProxy: true,
    routes: [...accountRoutes(accounts), ...apiKeyRoutes(keys, clock), ...(await more({ db, faults }))],
  });

  /** A key of a new account, or of the one given. */
  async function issue(key: Partial<NewKey> = {}, accountId?: string) {
    const owner = accountId ?? (await seedAccount(db));
    const { text, row } = await keys.issue(owner, { name: 'first', mode: 'test', scopes: ['*'], ...key });
    return { accountId: owner, text, id: row.id };
  }

  /** Sends a request with a key. */
  const call = (key: string, ...[method, path, body, headers]: Parameters<typeof edge.call>) =>
    edge.call(method, path, body, { 'x-api-key': key, ...headers });

  return {
    db,
    edge,
    faults,
    clock,
    keys,
    accounts,
    usage,
    authenticate,
    notices,
    hashKey,
    issue,
    call,
    async close() {
      await edge.close();
      await usage.close();
      await notices.close();
      await db.close();
    },
  };
}
