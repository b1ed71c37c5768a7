import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';
import { accountRoutes } from '../../../src/features/accounts/accounts.routes.ts';
import {
  type AccountsService,
  createAccountsService,
} from '../../../src/features/accounts/accounts.service.ts';
import { apiKeyRoutes } from '../../../src/features/api-keys/api-keys.routes.ts';
import { createApiKeysService, type NewKey } from '../../../src/features/api-keys/api-keys.service.ts';
import { createAuthenticator } from '../../../src/features/api-keys/authenticate-key.ts';
import { createKeyHash } from '../../../src/features/api-keys/key-hash.ts';
import { createKeyUsage } from '../../../src/features/api-keys/key-usage.ts';
import { createMailService, type MailService } from '../../../src/features/mail/mail.service.ts';
import { createMailCipher } from '../../../src/features/mail/mail-cipher.ts';
import { readMailbox } from '../../../src/features/mail/read-mailbox.ts';
import type { Clock } from '../../../src/lib/clock.ts';
import { newUuid } from '../../../src/lib/ids.ts';
import { createNotices } from '../../../src/platform/db/notices.ts';
import type { Route } from '../../../src/platform/http/route.ts';
import { createMemoryStore } from '../../../src/platform/rate-limit/stores.ts';
import { openPeople } from '../../../src/roles/parts-people.ts';
import { openEdge } from '../../platform/http/open-edge.ts';
import { createTestDatabase, seedAccount, type TestDatabase } from '../../support/database.ts';
import { silentLog } from '../../support/log.ts';
import { movableClock } from '../api-keys/open-api.ts';

export type PeopleApi = Awaited<ReturnType<typeof openPeopleApi>>;

interface PeopleOptions {
  signUp?: 'open' | 'invited';
  firebase?: { projectId: string; jwksUrl: string; serviceAccount?: string };
  routes?: Route[];
  /** Routes that stand on parts of this API. */
  more?: (parts: MoreParts) => Route[];
}

interface MoreParts {
  db: TestDatabase;
  accounts: AccountsService;
  mail: MailService;
  masterKey: Uint8Array;
  clock: Clock;
}

/** The API with people in it, on a database of its own; mails stay in the mailbox. */
export async function openPeopleApi({
  signUp = 'open',
  firebase,
  routes = [],
  more = () => [],
}: PeopleOptions = {}) {
  const db = await createTestDatabase(inject('postgresUrl'));
  const { database, vault } = db;
  const log = silentLog;
  const clock = movableClock();
  const masterKey = randomBytes(32);
  const notices = createNotices({ url: db.url, clock, log });
  const cipher = createMailCipher({ vault, masterKey });
  const noJobs = {
    queue: () => {
      throw new Error('nothing is queued here');
    },
  };
  const mails = createMailService({ database, jobs: noJobs, cipher, newUuid, clock, log, delivers: false });
  const accounts = createAccountsService({ database, vault, newUuid, clock });
  const hashKey = createKeyHash(randomBytes(32));
  const usage = createKeyUsage({ database, clock, log });
  const keys = createApiKeysService({ database, hashKey, newUuid, randomBytes, clock });
  const people = await openPeople(
    { database, notices, log },
    {
      masterKey,
      publicUrl: 'https://pingr.test',
      port: 0,
      signUp,
      firebaseProjectId: firebase?.projectId,
      firebaseJwksUrl: firebase?.jwksUrl ?? '',
      firebaseServiceAccount: firebase?.serviceAccount,
    },
    { accounts, mails, rateLimitStore: createMemoryStore() },
    clock,
  );
  const edge = await openEdge({
    database,
    vault,
    trustProxy: true,
    refusals: people.refusals,
    authenticate: people.besideKeys(await createAuthenticator({ database, notices, hashKey, usage, clock })),
    routes: [
      ...people.routes,
      ...accountRoutes(accounts),
      ...apiKeyRoutes(keys, clock),
      ...routes,
      ...more({ db, accounts, mail: mails, masterKey, clock }),
    ],
    pages: people.pages,
  });

  /** Sends a request as a person (a token) or program (a key); as nobody where it is empty. */
  const call = (credential: string, ...[method, path, body, headers]: Parameters<typeof edge.call>) =>
    edge.call(method, path, body, {
      'x-api-key': '',
      ...(credential !== '' && { authorization: `Bearer ${credential}` }),
      ...headers,
    });

  const mailbox = () => readMailbox({ database, cipher });

  /** The token in the last mail to an address. */
  async function tokenIn(email: string): Promise<string> {
    const mail = (await mailbox()).find(({ to }) => to === email);
    return /#(?:token|invitation)=([\w-]+)/.exec(mail?.text ?? '')?.[1] ?? '';
  }

  /** Signs somebody in by a link, from an address of their own, since links are limited by address. */
  async function signIn(email: string): Promise<Tokens> {
    const from = { 'x-forwarded-for': `198.51.100.${Math.floor(Math.random() * 254)}` };
    await call('', 'POST', '/v1/auth/magic-link', { email }, from);
    const answer = await call('', 'POST', '/v1/auth/sign-ins', { token: await tokenIn(email) }, from);
    return answer.json<Tokens>();
  }

  /** A person in an account, as `role`. */
  async function member(accountId: string, role: string, email = `${role}-${newUuid()}@example.com`) {
    const userId = newUuid();
    await db.owner.query('insert into users (id, email) values ($1, $2)', [userId, email]);
    await db.owner.query('insert into members (account_id, user_id, role) values ($1, $2, $3)', [
      accountId,
      userId,
      role,
    ]);
    return { ...(await signIn(email)), userId, email };
  }

  /** An account that may have any number of members. */
  async function account(name = 'Acme'): Promise<string> {
    const id = await seedAccount(db, name);
    await db.owner.query('update quotas set member_limit = null where account_id = $1', [id]);
    return id;
  }

  return {
    db,
    edge,
    clock,
    keys,
    accounts,
    mailbox,
    tokenIn,
    call,
    signIn,
    member,
    account,
    issue: async (accountId: string, key: Partial<NewKey> = {}) =>
      (await keys.issue(accountId, { name: 'a key', mode: 'live', scopes: ['*'], ...key })).text,
    async close() {
      await edge.close();
      await usage.close();
      await notices.close();
      await db.close();
    },
  };
}

export interface Tokens {
  sign_in_id: string;
  access_token: string;
  refresh_token: string;
  user_id: string;
  email: string;
}
