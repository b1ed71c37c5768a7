import { runMigrations } from 'bullmq';
import pg from 'pg';

export interface MigrateJobsOptions {
  /** Connection string of the owner. */
  url: string;
  /** Role that the program acts as when it adds and works on jobs; needed where that is not the owner. */
  grantTo?: string | undefined;
}

/**
 * Brings BullMQ's own schema `bullmq` up to date, under BullMQ's advisory lock; safe to run again.
 * The role may also create in that schema: adding jobs in bulk makes a sequence for each queue.
 */
export async function migrateJobs({ url, grantTo }: MigrateJobsOptions): Promise<void> {
  const client = new pg.Client({ connectionString: url, application_name: 'pingr-migrate' });
  await client.connect();
  try {
    await runMigrations(client);
    if (grantTo !== undefined) await client.query(grants(client.escapeIdentifier(grantTo)));
  } finally {
    await client.end();
  }
}

function grants(role: string): string {
  return `
    grant usage, create on schema bullmq to ${role};
    grant select, insert, update, delete on all tables in schema bullmq to ${role};
    grant usage, select on all sequences in schema bullmq to ${role};
    grant execute on all functions in schema bullmq to ${role};`;
}
