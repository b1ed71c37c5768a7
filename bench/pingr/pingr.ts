import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import pino from 'pino';
import { startEmbeddedPostgres } from '../../src/platform/embedded-postgres/embedded-postgres.ts';
import { freePort } from '../../src/platform/embedded-postgres/free-port.ts';
import { cleanUpAfterKill } from '../../test/support/clean-up-after-kill.ts';
import { startRedisServer } from '../../test/support/redis-server.ts';
import { type EmulatorAddress, until } from '../emulator/emulator.ts';
import { type Door, postJson } from '../load/http.ts';
import type { Cpu } from '../load/traffic.ts';
import { GARBAGE_ARGS, ROOT } from '../machine/memory.ts';
import {
  cpuOf,
  cpuOfChildren,
  cpuOfFamily,
  parentOf,
  type StartedProcess,
  startNode,
  stopProcess,
} from '../machine/processes.ts';
import type { Options } from '../options.ts';

const MAIN = path.join(ROOT, 'dist/main.js');
const run = promisify(execFile);

/** An installation of Pingr as a customer has it: API, test worker and durable Postgres, each its own process. */
export interface Pingr {
  /** Realm of the account's phones. */
  realm: string;
  door: Door;
  /** Base of the API and the key's header, for what else is asked of it. */
  api: string;
  headers: Record<string, string>;
  get(path: string): Promise<string>;
  cpu(): Promise<Cpu>;
  workerCpu(): Promise<number>;
  workerPid(): number;
  /** Links sessions to fresh phones until there are so many; resolves once all are connected. */
  pair(count: number): Promise<void>;
  /** Digits of the first session's number. */
  phone(): Promise<string>;
  stopWorker(): Promise<void>;
  startWorker(): Promise<void>;
  close(): Promise<void>;
}

/** Starts everything anew in `dir`. */
export async function startPingr(dir: string, emulator: EmulatorAddress, options: Options): Promise<Pingr> {
  const storage = await startStorage(dir, options);
  const env = environmentOf(emulator, options, storage, await freePort());
  await run(process.execPath, [MAIN, 'migrate'], { env });
  const { stdout } = await run(process.execPath, [MAIN, 'bootstrap'], { env });
  const { account_id: accountId, test_key: key }: { account_id: string; test_key: string } =
    JSON.parse(stdout);
  const services = await startServices(dir, env, options);
  const url = `http://127.0.0.1:${env.PORT}/v1`;
  const headers = { 'x-api-key': key };
  const pairing = createPairing(url, headers, storage.ask);

  return {
    realm: accountId,
    door: {
      url: `${url}/messages`,
      headers,
      body: (to, text) => ({ session: pairing.first(), to: `+${to}`, type: 'text', text: { body: text } }),
    },
    async cpu() {
      const [own, database] = await Promise.all([services.cpu(), storage.cpu()]);
      return { own, database };
    },
    api: url,
    headers,
    get: async (path) => (await fetch(`${url}${path}`, { headers })).text(),
    workerCpu: () => cpuOf(services.worker().pid),
    workerPid: () => services.worker().pid,
    pair: pairing.pair,
    phone: async () => String(await storage.ask('select phone from sessions order by id limit 1')),
    stopWorker: () => stopProcess(services.worker().child),
    startWorker: services.startWorker,
    async close() {
      await services.close();
      await storage.close();
    },
  };
}

type Storage = Awaited<ReturnType<typeof startStorage>>;

/** A durable Postgres, and Redis where the queue is there. */
async function startStorage(dir: string, { queue }: Options) {
  const dataDir = path.join(dir, 'postgres');
  await mkdir(dataDir, { recursive: true });
  const postgres = await startEmbeddedPostgres({ dataDir, log: pino({ level: 'warn' }) });
  cleanUpAfterKill(path.join(dataDir, 'cluster/postmaster.pid'), dir);
  const redis = queue === 'redis' ? await startRedisServer() : undefined;
  const owner = new pg.Pool({ connectionString: postgres.url, max: 1 });
  /** The first column of the first row. */
  const ask = async (sql: string) => Object.values<unknown>((await owner.query(sql)).rows[0] ?? {})[0];
  const postmaster = await parentOf(Number(await ask('select pg_backend_pid()')));
  return {
    urls: { database: postgres.url, redis: redis?.url },
    ask,
    async cpu() {
      const [postgresCpu, redisCpu] = await Promise.all([
        cpuOfFamily(postmaster),
        cpuOfChildren('redis-server'),
      ]);
      return postgresCpu + redisCpu;
    },
    async close() {
      await owner.end();
      await Promise.all([postgres.stop(), redis?.stop()]);
    },
  };
}

function environmentOf(emulator: EmulatorAddress, { queue }: Options, { urls }: Storage, port: number) {
  return {
    PATH: process.env['PATH'],
    DATABASE_URL: urls.database,
    QUEUE: queue,
    MASTER_KEY: randomBytes(32).toString('hex'),
    API_KEY_PEPPER: randomBytes(32).toString('hex'),
    LOG_FORMAT: 'json',
    HOST: '127.0.0.1',
    PORT: String(port),
    RATE_LIMIT_TEST: '100000000',
    WEBHOOK_ALLOW_LOOPBACK: 'on',
    SANDBOX_WS_URL: emulator.wsUrl,
    SANDBOX_ROOT_KEY: emulator.rootKey,
    SANDBOX_CONTROL_URL: emulator.controlUrl,
    SANDBOX_CONTROL_TOKEN: emulator.controlToken,
    REDIS_URL: urls.redis,
  };
}

async function startServices(dir: string, env: NodeJS.ProcessEnv, { profileDir }: Options) {
  const profile =
    profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${path.resolve(profileDir)}`];
  const start = (role: string, more: object = {}) =>
    startNode([...GARBAGE_ARGS, ...profile, MAIN, role], {
      env: { ...env, ...more },
      logFile: path.join(dir, `${role}.log`),
    });
  const startWorker = () => start('worker', { WORKER_MODE: 'test' });
  const api = await start('api');
  let worker: StartedProcess = await startWorker();
  return {
    worker: () => worker,
    async startWorker() {
      worker = await startWorker();
    },
    async cpu() {
      const [apiCpu, workerCpu] = await Promise.all([cpuOf(api.pid), cpuOf(worker.pid)]);
      return apiCpu + workerCpu;
    },
    async close() {
      await Promise.all([api, worker].map(({ child }) => stopProcess(child)));
    },
  };
}

function createPairing(url: string, headers: Record<string, string>, ask: Storage['ask']) {
  let sessions = 0;
  let first = '';

  async function pairOne(): Promise<void> {
    sessions++;
    const answer = await postJson(
      `${url}/sessions`,
      { name: `session ${sessions}`, auto_pair: true },
      headers,
    );
    const made: { id: string } = JSON.parse(answer);
    first ||= made.id;
  }

  const connected = () =>
    until(
      async () => Number(await ask(`select count(*) from sessions where status = 'connected'`)) === sessions,
      `${sessions} connected sessions`,
    );

  return {
    /** The session that was paired first. */
    first: () => first,
    async pair(count: number) {
      while (sessions < count) {
        await Promise.all(Array.from({ length: Math.min(8, count - sessions) }, pairOne));
        await connected();
      }
    },
  };
}
