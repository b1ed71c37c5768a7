import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inject } from 'vitest';
import { createAccountsService } from '../../../src/features/accounts/accounts.service.ts';
import { keyErrors } from '../../../src/features/api-keys/api-keys.errors.ts';
import { apiKeyRoutes } from '../../../src/features/api-keys/api-keys.routes.ts';
import { createApiKeysService } from '../../../src/features/api-keys/api-keys.service.ts';
import { createAuthenticator } from '../../../src/features/api-keys/authenticate-key.ts';
import { createKeyHash } from '../../../src/features/api-keys/key-hash.ts';
import { createKeyUsage } from '../../../src/features/api-keys/key-usage.ts';
import { createMailService } from '../../../src/features/mail/mail.service.ts';
import { listMails } from '../../../src/features/mail/mail.system.ts';
import { createMailCipher } from '../../../src/features/mail/mail-cipher.ts';
import { scopesOfRole } from '../../../src/features/members/roles.model.ts';
import { openContent } from '../../../src/features/messages/message-content.ts';
import { createClosuresService } from '../../../src/features/privacy/closures.service.ts';
import { createExportsService } from '../../../src/features/privacy/exports.service.ts';
import { privacyRoutes } from '../../../src/features/privacy/privacy.routes.ts';
import { RESTORE_PATH, serveRestore } from '../../../src/features/privacy/restore.routes.ts';
import { createRestoreTokens } from '../../../src/features/privacy/restore-link.ts';
import { newUuid, toId } from '../../../src/lib/ids.ts';
import { systemClock } from '../../../src/lib/system-clock.ts';
import { createNotices } from '../../../src/platform/db/notices.ts';
import { openLocalFiles } from '../../../src/platform/files/local-files.ts';
import { serveFiles } from '../../../src/platform/http/serve-files.ts';
import { exportedRows } from '../../../src/roles/exported-rows.ts';
import { openEdge } from '../../platform/http/open-edge.ts';
import { createTestDatabase, seedAccount } from '../../support/database.ts';
import { createTestJobs } from '../../support/jobs.ts';
import { silentLog } from '../../support/log.ts';
import { movableClock } from '../api-keys/open-api.ts';

export type Privacy = Awaited<ReturnType<typeof openPrivacy>>;

/** The API of a customer who leaves: keys, exports, deletion and the page that undoes it, on real parts. */
export async function openPrivacy() {
  const db = await createTestDatabase(inject('postgresUrl'));
  const jobs = await createTestJobs();
  const dir = await mkdtemp(path.join(tmpdir(), 'pingr-files-'));
  const { database, vault } = db;
  const [log, clock, masterKey] = [silentLog, movableClock(), randomBytes(32)];
  const files = await openLocalFiles({ dir, publicUrl: '', signingKey: randomBytes(32), clock });
  const cipher = createMailCipher({ vault, masterKey });
  const shared = { database, vault, newUuid, randomBytes, clock, log, jobs: jobs.jobs, files };
  const mail = createMailService({ ...shared, cipher, delivers: false });
  const accounts = createAccountsService(shared);
  const hashKey = createKeyHash(randomBytes(32));
  const keys = createApiKeysService({ ...shared, hashKey });
  const notices = createNotices({ url: db.url, clock: systemClock, log });
  const usage = createKeyUsage(shared);
  const tokens = createRestoreTokens(masterKey);
  const closures = createClosuresService({
    ...{ ...shared, accounts, mail, tokens },
    restoreDays: 7,
    scopesOf: scopesOfRole,
    restoreUrl: (token) => `${RESTORE_PATH}?token=${token}`,
  });
  const edge = await openEdge({
    ...{ database, vault, trustProxy: true },
    refusals: Object.values(keyErrors),
    authenticate: await createAuthenticator({ ...shared, notices, hashKey, usage }),
    routes: [...privacyRoutes(closures, createExportsService(shared)), ...apiKeyRoutes(keys, clock)],
    pages: [(app) => serveRestore(app, closures), (app) => serveFiles(app, files)],
  });
  const foldersOf = (accountId: string) => [`media/${toId('account', accountId)}`];

  return {
    ...{ db, edge, keys, clock, files, jobs, accounts },
    /** What the jobs work with. */
    parts: { ...shared, accounts, mail, openContent, showRows: exportedRows(db), foldersOf },
    /** An account with an owner to write to, and its keys. */
    async account(name = 'Acme') {
      const id = await seedAccount(db, name);
      await db.owner.query('update accounts set email = $2 where id = $1', [id, 'owner@acme.example']);
      const issue = async (mode: 'test' | 'live') =>
        (await keys.issue(id, { name: mode, mode, scopes: ['*'] })).text;
      return { id, live: await issue('live'), test: await issue('test') };
    },
    call: (key: string, method: string, where: string, body?: unknown) =>
      edge.call(method, where, body, { 'x-api-key': key }),
    /** Mails of an account that are kept, newest first. */
    async mails(accountId: string) {
      const kept = await database.systemOnce((tx) => listMails(tx, 50));
      return Promise.all(
        kept
          .filter(({ account_id }) => account_id === accountId)
          .map(({ id, template, content }) =>
            cipher.open({ id, accountId }, content).then((opened) => ({ ...opened, template })),
          ),
      );
    },
    async close() {
      await edge.close();
      await usage.close();
      await notices.close();
      await jobs.close();
      await db.close();
      await rm(dir, { recursive: true });
    },
  };
}
