import { randomBytes } from 'node:crypto';
import { createAccountsService } from '../features/accounts/accounts.service.ts';
import { findWrappedKey } from '../features/accounts/accounts.system.ts';
import { createApiKeysService } from '../features/api-keys/api-keys.service.ts';
import { createKeyHash } from '../features/api-keys/key-hash.ts';
import { newUuid, toId } from '../lib/ids.ts';
import { systemClock } from '../lib/system-clock.ts';
import { createVault } from '../platform/crypto/vault.ts';
import { createDatabase } from '../platform/db/database.ts';
import { createPool } from '../platform/db/pool.ts';
import { createLog } from '../platform/log/log.ts';
import type { Bootstrap } from './all-credentials.ts';
import type { ApiConfig } from './config.ts';

/** Makes the first account with a test and a live key, where the database has none. */
export const bootstrap: Bootstrap = async ({ databaseUrl, masterKey, apiKeyPepper, ownerEmail }) => {
  const log = createLog({ level: 'warn', format: 'json', fields: { role: 'bootstrap' } });
  const pool = createPool({ url: databaseUrl, max: 1, name: 'pingr-bootstrap', log });
  try {
    const database = createDatabase(pool);
    const vault = createVault({
      masterKey,
      loadWrappedKey: (accountId) => database.systemOnce((tx) => findWrappedKey(tx, accountId)),
    });
    const parts = { database, vault, newUuid, randomBytes, clock: systemClock };
    const accounts = createAccountsService(parts);
    if (await accounts.any()) return undefined;

    const { id } = await accounts.create({
      name: 'Default',
      ...(ownerEmail !== undefined && { email: ownerEmail }),
    });
    const keys = createApiKeysService({ ...parts, hashKey: createKeyHash(apiKeyPepper) });
    const test = await keys.issue(id, { name: 'First test key', mode: 'test', scopes: ['*'] });
    const live = await keys.issue(id, { name: 'First live key', mode: 'live', scopes: ['*'] });
    return { accountId: toId('account', id), testKey: test.text, liveKey: live.text };
  } finally {
    await pool.end();
  }
};

/** The same by hand, for deployments without a supervisor: prints the keys, this once. */
export async function printBootstrap({
  databaseUrl,
  masterKey,
  apiKeyPepper,
  ownerEmail,
}: ApiConfig): Promise<void> {
  const made = await bootstrap({ databaseUrl, masterKey, apiKeyPepper, ownerEmail });
  const text =
    made === undefined
      ? 'The database has an account already.'
      : JSON.stringify(
          { account_id: made.accountId, test_key: made.testKey, live_key: made.liveKey },
          null,
          2,
        );
  process.stdout.write(`${text}\n`);
}
