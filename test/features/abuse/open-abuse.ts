import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';
import { abuseRoutes } from '../../../src/features/abuse/abuse.routes.ts';
import { KeyWatch } from '../../../src/features/abuse/key-watch.ts';
import { type AlertParts, raiseAlerts } from '../../../src/features/abuse/raise-alerts.ts';
import { openTightenedLimits } from '../../../src/features/abuse/tightened-limits.ts';
import { createAccountsService } from '../../../src/features/accounts/accounts.service.ts';
import { keyErrors } from '../../../src/features/api-keys/api-keys.errors.ts';
import { apiKeyRoutes } from '../../../src/features/api-keys/api-keys.routes.ts';
import { createApiKeysService } from '../../../src/features/api-keys/api-keys.service.ts';
import { createAuthenticator } from '../../../src/features/api-keys/authenticate-key.ts';
import { createKeyHash } from '../../../src/features/api-keys/key-hash.ts';
import { createKeyUsage } from '../../../src/features/api-keys/key-usage.ts';
import { createMailService } from '../../../src/features/mail/mail.service.ts';
import { createMailCipher } from '../../../src/features/mail/mail-cipher.ts';
import { newUuid } from '../../../src/lib/ids.ts';
import type { Mode } from '../../../src/lib/mode.ts';
import { systemClock } from '../../../src/lib/system-clock.ts';
import { createNotices } from '../../../src/platform/db/notices.ts';
import { openEdge } from '../../platform/http/open-edge.ts';
import { createTestDatabase, seedAccount } from '../../support/database.ts';
import { createTestJobs } from '../../support/jobs.ts';
import { silentLog } from '../../support/log.ts';
import { movableClock } from '../api-keys/open-api.ts';

export type Abuse = Awaited<ReturnType<typeof openAbuse>>;

export interface AlertView {
  id: string;
  mode: Mode;
  kind: string;
  subject: string;
  message: string;
  count: number;
  detail: Record<string, unknown>;
  restriction: { factor: number; until: string } | null;
}

/** The API with its keys watched and its limits tightened, as the role `api` composes it. */
export async function openAbuse() {
  const db = await createTestDatabase(inject('postgresUrl'));
  const jobs = await createTestJobs();
  const { database, vault } = db;
  const [log, clock] = [silentLog, movableClock()];
  const shared = { database, vault, newUuid, randomBytes, clock, log, jobs: jobs.jobs };
  const notices = createNotices({ url: db.url, clock: systemClock, log });
  const cipher = createMailCipher({ vault, masterKey: randomBytes(32) });
  const told: string[] = [];
  const alerts: AlertParts = {
    ...{ ...shared, accounts: createAccountsService(shared) },
    mail: createMailService({ ...shared, cipher, delivers: false }),
    onFact: (accountId) => told.push(accountId),
  };
  const hashKey = createKeyHash(randomBytes(32));
  const keys = createApiKeysService({ ...shared, hashKey });
  const usage = createKeyUsage(shared);
  const limits = await openTightenedLimits({ database, notices, clock, log });
  const countries = new Map<string, string>();
  const watch = new KeyWatch({
    ...shared,
    countryOf: (ip) => countries.get(ip),
    raise: (suspicions) => raiseAlerts(alerts, suspicions),
  });
  const authenticate = await createAuthenticator({
    ...{ ...shared, notices, hashKey, usage },
    onRefused: (key, ip) => watch.refused(key, ip),
  });
  const edge = await openEdge({
    ...{ database, vault, trustProxy: true, refusals: Object.values(keyErrors) },
    authenticate: watch.watched(authenticate),
    rateLimitOf: ({ accountId, mode }) => Math.ceil(1_000 * limits.factorOf(accountId, mode)),
    routes: [...abuseRoutes(database), ...apiKeyRoutes(keys, clock)],
  });
  const callFrom = (ip: string, key: string, method: string, path: string) =>
    edge.call(method, path, undefined, { 'x-api-key': key, 'x-forwarded-for': ip });

  const account = async () => {
    const id = await seedAccount(db);
    await db.owner.query('update accounts set email = $2 where id = $1', [id, 'owner@acme.example']);
    const issue = (mode: Mode) => keys.issue(id, { name: mode, mode, scopes: ['*'] });
    return { id, live: await issue('live'), test: await issue('test') };
  };
  return {
    ...{ db, edge, keys, alerts, limits, told, callFrom },
    /** Which country each address is in. */
    countries,
    account,
    /** A live key that has been used from these networks, in these countries, for two days. */
    async keyInUse({ networks, countries: known }: { networks: string[]; countries: string[] }) {
      const { id: accountId, live } = await account();
      const keyId = live.row.id;
      await db.owner.query(
        `insert into key_networks (key_id, account_id, network, first_at)
         select $1, $2, n, now() - interval '2 days' from unnest($3::cidr[]) n`,
        [keyId, accountId, networks],
      );
      await db.owner.query(
        `insert into key_countries (key_id, account_id, country, first_at)
         select $1, $2, c, now() - interval '2 days' from unnest($3::text[]) c`,
        [keyId, accountId, known],
      );
      return { accountId, keyId, key: live.text };
    },
    /** An alert list, read from an address that never changes. */
    list: async (key: string) =>
      (await callFrom('127.0.0.1', key, 'GET', '/v1/account/alerts')).json<{ data: AlertView[] }>().data,
    async close() {
      await edge.close();
      await watch.close();
      limits.close();
      await usage.close();
      await notices.close();
      await jobs.close();
      await db.close();
    },
  };
}
