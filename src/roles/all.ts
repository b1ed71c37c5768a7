import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../platform/embedded-postgres/free-port.ts';
import { createLifecycle, type Lifecycle } from '../platform/lifecycle/lifecycle.ts';
import { exitOnSignals } from '../platform/lifecycle/signals.ts';
import { createLog, type Log } from '../platform/log/log.ts';
import { type Bootstrap, firstSteps, hasCredentials, writeCredentials } from './all-credentials.ts';
import { keepDatabase, migrateAll } from './all-database.ts';
import { lockDataDir } from './all-lock.ts';
import { createProgress, type Progress } from './all-progress.ts';
import { keepSecrets, makeDataDir, type Secrets } from './all-secrets.ts';
import { type AllConfig, inheritedEnvironment, withoutSandbox } from './config.ts';
import { type SupervisedChild, supervise } from './supervise.ts';

export interface AllOptions {
  config: AllConfig;
  bootstrap: Bootstrap;
}

interface Start extends AllOptions {
  log: Log;
  lifecycle: Lifecycle;
  progress: Progress;
  apiUrl: string;
}

/** Longest time for each part to stop, in milliseconds; together under ten seconds. */
const stopTimes = ({ shutdownTimeoutMs: all }: Pick<AllConfig, 'shutdownTimeoutMs'>) => ({
  services: Math.round((all * 5) / 9),
  emulator: Math.round(all / 6),
  database: Math.round((all * 5) / 18),
});

/**
 * Runs everything under one supervisor: embedded Postgres (unless DATABASE_URL is set), migrations, emulator (unless
 * SANDBOX_WS_URL is set), payment sandbox (unless there is a payment provider), a test and a live worker, and the API,
 * each in a process of its own.
 * @returns once all of it is ready; the process then lives until a signal
 */
export async function runAll({ config, bootstrap }: AllOptions): Promise<void> {
  const log = createLog({ level: config.logLevel, format: config.logFormat, fields: { role: 'all' } });
  const lifecycle = createLifecycle(log);
  exitOnSignals({ lifecycle, log, timeoutMs: config.shutdownTimeoutMs });
  const progress = createProgress(process.stdout);
  const apiUrl = `http://${config.host === '0.0.0.0' ? '127.0.0.1' : config.host}:${config.port}`;
  try {
    await startEverything({ config, bootstrap, log, lifecycle, progress, apiUrl });
  } catch (error) {
    if (lifecycle.signal.aborted) return;
    log.debug({ err: error }, 'start failed');
    progress.say(`\nPingr did not start. ${error instanceof Error ? error.message : String(error)}`);
    await lifecycle.close('start failed');
    process.exit(1);
  }
}

async function startEverything(start: Start): Promise<void> {
  const { config, lifecycle, progress, apiUrl, bootstrap } = start;
  const { dataDir } = config;
  progress.say('Starting Pingr');
  await makeDataDir(dataDir);
  await lifecycle.open('data directory', () => lockDataDir(dataDir), { close: (unlock) => unlock() });
  await waitForPort(config.port, progress);
  const secrets = await keepSecrets(dataDir, config);

  const databaseUrl = await openDatabase(start);
  await progress.step('migrations', async (remark) => {
    const applied = await migrateAll(config.migrationDatabaseUrl ?? databaseUrl, config.queue);
    if (applied.length > 0) remark(`${applied.length} applied`);
  });
  const isNew = !(await hasCredentials(dataDir));
  const credentials = isNew
    ? await bootstrap({
        databaseUrl,
        masterKey: Buffer.from(secrets.masterKey, 'hex'),
        apiKeyPepper: Buffer.from(secrets.apiKeyPepper, 'hex'),
        ownerEmail: config.ownerEmail,
      })
    : undefined;
  const file = credentials && (await writeCredentials(dataDir, apiUrl, credentials));

  const sandbox = await openEmulator(start);
  const payments = await openPaymentSandbox(start);
  await openServices(start, { ...serviceEnvironment(config, databaseUrl, secrets), ...sandbox, ...payments });
  progress.say(`\nPingr is ready after ${progress.elapsed()}: ${apiUrl} (reference at ${apiUrl}/docs)`);
  if (credentials && file) {
    const showsMails = showsMailbox(config) && config.smtpUrl === undefined;
    const sellsForNothing = paysInSandbox(config) && config.basePlan !== 'unlimited';
    progress.say(firstSteps(apiUrl, file, credentials, { showsMails, sellsForNothing }));
  }
}

type Env = Record<string, string | undefined>;

async function openDatabase({ config, lifecycle, progress, log }: Start): Promise<string> {
  if (config.databaseUrl !== undefined) return config.databaseUrl;
  const database = await lifecycle.open(
    'database',
    () => progress.step('database', (remark) => keepDatabase(config.dataDir, log, remark)),
    {
      close: (opened) => opened.stop(stopTimes(config).database),
      timeoutMs: stopTimes(config).database + 2_500,
    },
  );
  return database.url;
}

/** @returns where the sandbox is, for the processes that use it */
async function openEmulator(start: Start): Promise<Env> {
  const { config, lifecycle, progress } = start;
  if (config.sandboxWsUrl !== undefined) return {};
  const token = { SANDBOX_CONTROL_TOKEN: config.sandboxControlToken ?? randomBytes(24).toString('hex') };
  const ports = {
    EMULATOR_PORT: String(await freePort(config.emulatorPort)),
    EMULATOR_CONTROL_PORT: String(await freePort(config.emulatorControlPort)),
    EMULATOR_STATE_DIR: config.emulatorStateDir,
  };
  const emulator = await lifecycle.open(
    'emulator',
    () =>
      progress.step('emulator', () =>
        child(start, ['emulator'], { ...childEnvironment(config), ...token, ...ports }),
      ),
    {
      close: (opened) => opened.stop(stopTimes(start.config).emulator),
      timeoutMs: stopTimes(start.config).emulator + 500,
    },
  );
  return { ...token, ...emulator.env };
}

/** @returns where the stand-ins for the payment providers are; nothing where a real one is configured */
async function openPaymentSandbox(start: Start): Promise<Env> {
  const { config, lifecycle, progress } = start;
  if (!paysInSandbox(config)) return {};
  const env = {
    ...childEnvironment(config),
    PORT: String(config.port),
    PAYMENT_SANDBOX_PORT: String(await freePort(config.paymentSandboxPort)),
  };
  const sandbox = await lifecycle.open(
    'payment sandbox',
    () => progress.step('payments', () => child(start, ['payment-sandbox'], env)),
    {
      close: (opened) => opened.stop(stopTimes(start.config).emulator),
      timeoutMs: stopTimes(start.config).emulator + 500,
    },
  );
  return sandbox.env;
}

async function openServices(start: Start, env: Env): Promise<void> {
  const { lifecycle, progress } = start;
  const services = [
    { name: 'test worker', args: ['worker'], env: { ...env, WORKER_MODE: 'test' } },
    { name: 'live worker', args: ['worker'], env: { ...withoutSandbox(env), WORKER_MODE: 'live' } },
    { name: 'api', args: ['api'], env },
  ];
  const stopAll = (children: SupervisedChild[]) =>
    Promise.all(children.map((service) => service.stop(stopTimes(start.config).services)));
  await lifecycle.open(
    'api and workers',
    async () => {
      const started = await Promise.allSettled(
        services.map((service) =>
          progress.step(service.name, () => child(start, service.args, service.env, service.name)),
        ),
      );
      const children = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      const failed = started.find((result) => result.status === 'rejected');
      if (!failed) return children;
      await stopAll(children);
      throw failed.reason;
    },
    { close: stopAll, timeoutMs: stopTimes(start.config).services + 500 },
  );
}

function child({ log }: Start, args: string[], env: Env, name = args.join(' ')): Promise<SupervisedChild> {
  return supervise({ name, script: process.argv[1] ?? '', args, env, log });
}

/** What every child gets. */
function childEnvironment(config: AllConfig): Env {
  return {
    ...inheritedEnvironment(),
    PINGR_DATA_DIR: config.dataDir,
    LOG_FORMAT: config.logFormat,
    SHUTDOWN_TIMEOUT_MS: String(stopTimes(config).services - 500),
  };
}

const showsMailbox = ({ mailbox, host }: AllConfig) => mailbox ?? host === '127.0.0.1';
const paysInSandbox = ({ stripeSecretKey, razorpayKeyId }: AllConfig) =>
  stripeSecretKey === undefined && razorpayKeyId === undefined;

/** What the API and the workers get beside it. */
function serviceEnvironment(config: AllConfig, databaseUrl: string, secrets: Secrets): Env {
  return {
    ...childEnvironment(config),
    DATABASE_URL: databaseUrl,
    // They have no business with the owner's rights.
    MIGRATION_DATABASE_URL: undefined,
    MASTER_KEY: secrets.masterKey,
    API_KEY_PEPPER: secrets.apiKeyPepper,
    QUEUE: config.queue,
    HOST: config.host,
    PORT: String(config.port),
    MAILBOX: showsMailbox(config) ? 'on' : 'off',
    WEBHOOK_ALLOW_LOOPBACK: (config.webhookAllowLoopback ?? true) ? 'on' : 'off',
  };
}

/** Processes of a supervisor that was killed may need a moment to go. */
async function waitForPort(port: number, progress: Progress): Promise<void> {
  for (let waited = 0; waited < 6_000; waited += 250) {
    if (port === 0 || (await freePort(port)) === port) return;
    if (waited === 0) progress.say(`  … waiting for port ${port}, which is in use`);
    await sleep(250);
  }
  throw new Error(`Port ${port} is in use. Stop what listens there, or set PORT to another.`);
}
