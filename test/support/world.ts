import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inject } from 'vitest';
import { type RunningEmulator, startEmulator } from '../../src/emulator/start.ts';
import { createAccountsService } from '../../src/features/accounts/accounts.service.ts';
import { createApiKeysService } from '../../src/features/api-keys/api-keys.service.ts';
import { createKeyHash } from '../../src/features/api-keys/key-hash.ts';
import { newUuid } from '../../src/lib/ids.ts';
import { systemClock } from '../../src/lib/system-clock.ts';
import { createVault } from '../../src/platform/crypto/vault.ts';
import { freePort } from '../../src/platform/embedded-postgres/free-port.ts';
import { migrateJobs } from '../../src/platform/jobs/migrate-jobs.ts';
import { ApiClient } from './api-client.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { openSeverable, type Severable } from './severable.ts';

export interface WorldOptions {
  /** Test workers to start with. */
  workers?: number;
  /** Variables of its processes beside the usual ones. */
  env?: Record<string, string>;
}

/** A whole installation: emulator in this process, API and workers each in a process of their own. */
export interface World {
  api: string;
  /** Client with a fresh account's test key. */
  account(name?: string): Promise<{ test: ApiClient; live: ApiClient; id: string }>;
  emulator: RunningEmulator;
  db: TestDatabase;
  workers: ChildProcess[];
  /** What stands between its processes and the database, and Redis where the queue is there. */
  links: { database: Severable; redis: Severable };
  startWorker(): Promise<ChildProcess>;
  /** Stops the emulator and starts it again from its state. */
  restartEmulator(): Promise<void>;
  /** Everything that the processes wrote to their logs. */
  logs(): Promise<string>;
  close(): Promise<void>;
}

const MAIN = path.resolve('dist/main.js');

export async function createWorld(options: WorldOptions = {}): Promise<World> {
  const [queue, redisUrl] = [inject('queue'), inject('redisUrl')];
  const dir = await mkdtemp(path.join(tmpdir(), 'pingr-world-'));
  const logFile = path.join(dir, 'log');
  const log = createWriteStream(logFile, { flags: 'a' });
  const db = await createTestDatabase(inject('postgresUrl'));
  if (queue === 'postgres') await migrateJobs({ url: db.url, grantTo: 'pingr_app' });
  const links = {
    database: await openSeverable(addressOf(db.url)),
    redis: await openSeverable(addressOf(redisUrl)),
  };
  const controlToken = randomBytes(16).toString('hex');
  const ports = { port: await freePort(), controlPort: await freePort() };
  const emulatorOptions = { host: '127.0.0.1', ...ports, controlToken, stateDir: path.join(dir, 'emulator') };
  let emulator = await startEmulator(emulatorOptions);

  const [masterKey, pepper] = [randomBytes(32), randomBytes(32)];
  const apiPort = await freePort();
  const env = {
    PATH: process.env['PATH'],
    DATABASE_URL: through(db.url, links.database),
    DATABASE_POOL_SIZE: '6',
    QUEUE: queue,
    QUEUE_PREFIX: path.basename(dir),
    MASTER_KEY: masterKey.toString('hex'),
    API_KEY_PEPPER: pepper.toString('hex'),
    LOG_FORMAT: 'json',
    LOG_LEVEL: 'debug',
    HOST: '127.0.0.1',
    PINGR_DATA_DIR: dir,
    PORT: String(apiPort),
    SANDBOX_WS_URL: emulator.wsUrl,
    SANDBOX_ROOT_KEY: Buffer.from(emulator.rootPublicKey).toString('hex'),
    SANDBOX_CONTROL_URL: emulator.controlUrl,
    SANDBOX_CONTROL_TOKEN: controlToken,
    ...(queue === 'redis' && { REDIS_URL: through(redisUrl, links.redis) }),
    ...options.env,
  };
  const children: ChildProcess[] = [];
  const workers: ChildProcess[] = [];
  /** Again where it could not reach the database in time, as its supervisor would. */
  const start = async (role: string, more: object = {}, tries = 3): Promise<ChildProcess> => {
    const child = spawn(process.execPath, [MAIN, role], {
      env: { ...env, ...more },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    child.stdout?.pipe(log, { end: false });
    child.stderr?.pipe(log, { end: false });
    children.push(child);
    const isReady = await Promise.race([
      once(child, 'message').then(() => true),
      once(child, 'exit').then(() => false),
    ]);
    if (isReady) return child;
    if (tries > 1) return start(role, more, tries - 1);
    throw new Error(`${role} ended: ${(await readFile(logFile, 'utf8')).slice(-2000)}`);
  };
  const startWorker = async () => {
    const worker = await start('worker', { WORKER_MODE: 'test' });
    workers.push(worker);
    return worker;
  };
  await Promise.all([start('api'), ...Array.from({ length: options.workers ?? 1 }, startWorker)]);

  const api = `http://127.0.0.1:${apiPort}`;
  return {
    api,
    db,
    workers,
    links,
    startWorker,
    get emulator() {
      return emulator;
    },
    async restartEmulator() {
      await emulator.close();
      emulator = await startEmulator(emulatorOptions);
    },
    async account(name = 'Acme') {
      const vault = createVault({ masterKey, loadWrappedKey: async () => undefined });
      const parts = { database: db.database, vault, newUuid, randomBytes, clock: systemClock };
      const { id } = await createAccountsService(parts).create({ name });
      const keys = createApiKeysService({ ...parts, hashKey: createKeyHash(pepper) });
      const issue = async (mode: 'test' | 'live') =>
        (await keys.issue(id, { name: mode, mode, scopes: ['*'] })).text;
      return {
        id,
        test: new ApiClient(api, await issue('test')),
        live: new ApiClient(api, await issue('live')),
      };
    },
    logs: () => readFile(logFile, 'utf8'),
    async close() {
      await Promise.all(children.map(stop));
      await emulator.close();
      await Promise.all([links.database.close(), links.redis.close()]);
      await db.close();
      await new Promise((resolve) => log.end(resolve));
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function addressOf(url: string): { host: string; port: number } {
  const { hostname: host, port } = new URL(url === '' ? 'redis://127.0.0.1:6379' : url);
  return { host, port: Number(port) };
}

function through(url: string, { port }: Severable): string {
  const changed = new URL(url);
  changed.hostname = '127.0.0.1';
  changed.port = String(port);
  return changed.href;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
}
