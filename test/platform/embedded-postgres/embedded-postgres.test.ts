import { spawn } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startEmbeddedPostgres } from '../../../src/platform/embedded-postgres/embedded-postgres.ts';

const log = pino({ level: 'silent' });
let dataDir: string;
let stops: (() => Promise<void>)[];

beforeEach(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'pingr-postgres-'));
  stops = [];
});

afterEach(async () => {
  for (const stop of stops) await stop();
  await rm(dataDir, { recursive: true, force: true });
});

const start = async (steps: string[] = []) => {
  const server = await startEmbeddedPostgres({
    dataDir,
    durable: false,
    log,
    onProgress: (step) => steps.push(step),
  });
  stops.push(() => server.stop());
  return server;
};

const query = async (url: string, sql: string) => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<Record<string, unknown>>(sql);
  await client.end();
  return rows;
};

describe('the embedded Postgres', () => {
  it('keeps data and address over a stop and a start', async () => {
    const steps: string[] = [];
    const first = await start(steps);
    await query(first.url, 'create table kept as select 42 as answer');
    await first.stop();
    await expect(first.exited).resolves.toBe('code 0');

    const second = await start(steps);
    expect(second.url).toBe(first.url);
    expect(await query(second.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
    expect(steps).toEqual([
      'making a new database (first start only)',
      'starting the database server',
      'starting the database server',
    ]);
  });

  it('listens on 127.0.0.1 alone, asks for the password, and keeps it unreadable for others', async () => {
    const server = await start();
    const [row] = await query(server.url, "select current_setting('listen_addresses') as addresses");
    expect(row).toEqual({ addresses: '127.0.0.1' });
    const wrong = new URL(server.url);
    wrong.password = 'wrong';
    await expect(query(wrong.href, 'select 1')).rejects.toThrow(/password/);
    expect((await stat(path.join(dataDir, 'settings.json'))).mode & 0o077).toBe(0);
  });

  it('sorts by code point and still knows the case of letters outside ASCII', async () => {
    const server = await start();
    const [row] = await query(server.url, "select lower('ÉÅ') as lower, 'Z' < 'a' as code_point");
    expect(row).toEqual({ lower: 'éå', code_point: true });
  });

  it('is taken over after the process that started it was killed', async () => {
    const script = path.join(import.meta.dirname, 'start-and-hang.ts');
    const child = spawn(process.execPath, ['--import', 'tsx', script, dataDir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const url = await new Promise<string>((resolve) => {
      child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString().trim()));
    });
    await query(url, 'create table kept as select 42 as answer');
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));

    const server = await start();
    expect(server.adopted).toBe(true);
    expect(server.url).toBe(url);
    expect(await query(server.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
    await server.stop();
    await expect(server.exited).resolves.toBe('ended');
    await expect(query(url, 'select 1')).rejects.toThrow(/ECONNREFUSED/);
  });

  it('says why it does not start', async () => {
    const first = await start();
    const port = Number(new URL(first.url).port);
    const other = await mkdtemp(path.join(tmpdir(), 'pingr-postgres-'));
    await expect(startEmbeddedPostgres({ dataDir: other, port, durable: false, log })).rejects.toThrow(
      /did not start[^]*in use/,
    );
    await rm(other, { recursive: true });
  });
});
