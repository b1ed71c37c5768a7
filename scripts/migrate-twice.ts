import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startEmbeddedPostgres } from '../src/platform/embedded-postgres/embedded-postgres.ts';
import { createLog } from '../src/platform/log/log.ts';
import { migrateAll } from '../src/roles/all-database.ts';

/** Migrates an empty database, then migrates it again, which must change nothing. */
const dataDir = await mkdtemp(path.join(tmpdir(), 'pingr-migrate-'));
const log = createLog({ level: 'warn', format: 'readable' });
const server = await startEmbeddedPostgres({ dataDir, durable: false, log });
try {
  const first = await migrateAll(server.url, 'postgres');
  const second = await migrateAll(server.url, 'postgres');
  console.log(`applied ${first.length} migrations, then ${second.length}`);
  if (first.length === 0 || second.length > 0) process.exitCode = 1;
} finally {
  await server.stop();
  await rm(dataDir, { recursive: true, force: true });
}
