import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { FLUSH_EVERY_MS } from '../../../src/features/usage/activity-log.ts';
import { createTestDatabase, seedAccount, type TestDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase(inject('postgresUrl'));
});
afterAll(() => db.close());

const SCRIPT = path.join(import.meta.dirname, 'record-forever.ts');
/** For a write that was under way, on a busy machine. */
const SLACK_MS = 5_000;

describe('a process that is killed while it logs requests', () => {
  it('loses at most those of the last flush interval', async ({ annotate }) => {
    const account = await seedAccount(db);
    const child = spawn(process.execPath, ['--import', 'tsx', SCRIPT, db.url, account], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    const rowCount = async () =>
      Number(
        (await db.owner.query('select count(*) from activity_log where account_id = $1', [account])).rows[0]
          .count,
      );
    const busyBackends = async () =>
      (
        await db.owner.query(
          `select from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle'`,
        )
      ).rowCount;
    await eventually(rowCount, (count) => count > 1_000);
    child.kill('SIGKILL');
    await once(child, 'exit');
    // What it had sent to Postgres is carried out all the same.
    await eventually(busyBackends, (count) => count === 0);

    const told = output
      .trim()
      .split('\n')
      .map((line) => line.split(' ').map(Number));
    const [recorded = 0, killedAt = 0] = told.at(-1) ?? [];
    const { rows } = await db.owner.query<{ seq: number; at: Date }>(
      'select request_id::int as seq, at from activity_log where account_id = $1 order by 1',
      [account],
    );
    expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_, i) => i));
    const lostMs = killedAt - (rows.at(-1)?.at.getTime() ?? 0);
    await annotate(
      `killed after ${recorded} requests: ${recorded - rows.length} lost, those of the last ${lostMs} ms`,
    );
    expect(lostMs).toBeLessThan(FLUSH_EVERY_MS + SLACK_MS);
    const { rows: counted } = await db.owner.query(
      `select sum(count)::int as sum from usage_counts where account_id = $1 and minutes = 1440`,
      [account],
    );
    expect(counted[0].sum).toBe(rows.length);
  });
});
