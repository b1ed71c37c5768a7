import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../src/platform/embedded-postgres/free-port.ts';
import { untilItWorks } from '../support/eventually.ts';

const script = path.join(import.meta.dirname, 'house.mjs');
let dataDir: string;
let port: number;
const running: ChildProcess[] = [];

beforeAll(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'pingr-all-'));
  port = await freePort();
});

afterEach(async () => {
  for (const child of running) child.kill('SIGTERM');
  await Promise.all(running.splice(0).map(exitOf));
});

afterAll(async () => {
  await rm(dataDir, { recursive: true, force: true });
});

const exitOf = (child: ChildProcess) =>
  new Promise<number | null>((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve(child.exitCode);
    else child.once('exit', (code) => resolve(code));
  });

const run = (env: Record<string, string> = {}) => {
  const child = spawn(process.execPath, [script, 'all'], {
    env: {
      PATH: process.env['PATH'],
      PINGR_DATA_DIR: dataDir,
      PORT: String(port),
      SHUTDOWN_TIMEOUT_MS: '90000',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.push(child);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const says = (text: string | RegExp) => expect.poll(() => output).toMatch(text);
  return { child, says, output: () => output };
};

const apiPid = async () => Number(await (await fetch(`http://127.0.0.1:${port}/`)).text());
const alive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
const pidsIn = (output: string) => [...output.matchAll(/"pid":(\d+)/g)].map((match) => Number(match[1]));

describe('everything under one supervisor', () => {
  it('starts with an empty directory, shows how to begin, and stops cleanly on SIGINT', async () => {
    const { child, says, output } = run();
    await says('Pingr is ready');
    for (const step of [
      'database',
      'migrations',
      'emulator',
      'payments',
      'test worker',
      'live worker',
      'api',
    ]) {
      expect(output()).toMatch(new RegExp(`✓ ${step} +\\d+\\.\\d s`));
    }
    expect(output()).toContain('PINGR_KEY=pk_test_1');
    const file = path.join(dataDir, 'credentials.json');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({
      api_url: `http://127.0.0.1:${port}`,
      account_id: 'acc_1',
      test_key: 'pk_test_1',
      live_key: 'pk_live_1',
    });
    expect((await stat(path.join(dataDir, 'secrets.json'))).mode & 0o777).toBe(0o600);

    const pids = pidsIn(output());
    expect(pids).toHaveLength(5);
    child.kill('SIGINT');
    // 0 says that all closed in order, and so within the time that the lifecycle gives.
    expect(await exitOf(child)).toBe(0);
    expect(pids.filter(alive)).toEqual([]);
    expect(await stat(path.join(dataDir, 'postgres/cluster/postmaster.pid')).catch(() => 'gone')).toBe(
      'gone',
    );
  });

  it('refuses a second supervisor, restarts what dies, and shows the keys no more', async () => {
    const { child, says, output } = run();
    await says('Pingr is ready');
    expect(output()).not.toContain('pk_test_1');
    expect(output()).not.toContain('applied');

    const second = run();
    expect(await exitOf(second.child)).toBe(1);
    expect(second.output()).toContain(`Pingr already runs on ${dataDir} (process ${child.pid})`);

    const before = await apiPid();
    process.kill(before, 'SIGKILL');
    await untilItWorks(async () => expect(await apiPid()).not.toBe(before));

    const database = Number(
      (await readFile(path.join(dataDir, 'postgres/cluster/postmaster.pid'), 'utf8')).split('\n')[0],
    );
    process.kill(database, 'SIGKILL');
    await says('the database server ended, starting it again');
    await untilItWorks(async () => {
      const pidFile = await readFile(path.join(dataDir, 'postgres/cluster/postmaster.pid'), 'utf8');
      expect(pidFile).toContain('ready');
      expect(Number(pidFile.split('\n')[0])).not.toBe(database);
    });
    child.kill('SIGTERM');
    expect(await exitOf(child)).toBe(0);
  });

  it('leaves no process behind but the database when it is killed, and takes that over at the next start', async () => {
    const first = run();
    await first.says('Pingr is ready');
    const pids = pidsIn(first.output());
    first.child.kill('SIGKILL');
    await expect.poll(() => pids.filter(alive)).toEqual([]);

    const second = run();
    await second.says('taking over the database server');
    await second.says('Pingr is ready');
    second.child.kill('SIGTERM');
    expect(await exitOf(second.child)).toBe(0);
  });

  it('says which port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const address = other.address();
    const taken = address !== null && typeof address === 'object' ? String(address.port) : '';
    const { child, says, output } = run({ PORT: taken });
    await says(`waiting for port ${taken}`);
    expect(await exitOf(child)).toBe(1);
    expect(output()).toContain(`Port ${taken} is in use`);
    other.close();
  });
});
