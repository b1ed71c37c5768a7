import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { createJobs, type Jobs, type JobsBackend } from '../../src/platform/jobs/jobs.ts';
import { migrateJobs } from '../../src/platform/jobs/migrate-jobs.ts';
import { createLog } from '../../src/platform/log/log.ts';
import { dropDatabase } from './database.ts';

export interface TestJobs {
  /** What `createJobs` takes; another process's view of the same queues. */
  backend: JobsBackend;
  jobs: Jobs;
  close(): Promise<void>;
}

/** Queues of this test file alone, on the backend that QUEUE names. */
export async function createTestJobs(): Promise<TestJobs> {
  const name = `jobs_${randomBytes(6).toString('hex')}`;
  const backend: JobsBackend =
    inject('queue') === 'redis'
      ? { kind: 'redis', url: inject('redisUrl'), prefix: name }
      : { kind: 'postgres', url: await makeDatabase(name), role: 'pingr_jobs_test' };
  const jobs = await createJobs({ backend, log: createLog({ level: 'silent', format: 'json' }) });
  return {
    backend,
    jobs,
    close: async () => {
      await jobs.close(1_000);
      if (backend.kind === 'postgres') await dropDatabase(inject('postgresUrl'), name);
    },
  };
}

/** The role has the rights that `migrateJobs` grants and no others, as in production. */
async function makeDatabase(name: string): Promise<string> {
  await runAsOwner(`create database ${name}`);
  await runAsOwner('create role pingr_jobs_test').catch(() => undefined);
  const url = new URL(inject('postgresUrl'));
  url.pathname = name;
  await migrateJobs({ url: url.href, grantTo: 'pingr_jobs_test' });
  return url.href;
}

async function runAsOwner(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: inject('postgresUrl') });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
