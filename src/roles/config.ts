import { z } from 'zod';
import { variables } from './config-registry.ts';
import { curvePublicKey } from './config-values.ts';
import { settingsShape } from './config-variables.ts';

/** Says every variable that is wrong, so that one start is enough to see them all. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(problems: string[]) {
    super(`The configuration is wrong:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

const settings = z.object(settingsShape);

/** For `all`, which makes what is missing. */
const allSchema = settings.superRefine(mailHasSender);
const migrateSchema = settings.required({ databaseUrl: true });
const apiSchema = settings
  .required({ databaseUrl: true, masterKey: true, apiKeyPepper: true })
  .superRefine(queueHasServer)
  .superRefine(mailHasSender);
const workerSchema = settings
  .required({ databaseUrl: true, masterKey: true, workerMode: true })
  .superRefine(queueHasServer)
  .superRefine(sandboxBelongsToTest)
  .superRefine(mailHasSender);
const emulatorSchema = settings;

type Settings = z.output<typeof settings>;
export type AllConfig = ReturnType<typeof loadAllConfig>;
export type ApiConfig = ReturnType<typeof loadApiConfig>;
export type WorkerConfig = ReturnType<typeof loadWorkerConfig>;
export type EmulatorConfig = ReturnType<typeof loadEmulatorConfig>;

/** Reads the configuration of the role `all`. @throws ConfigError */
export function loadAllConfig(env: Environment = process.env) {
  return withDefaults(parse(allSchema, env), '127.0.0.1');
}

/** Reads the configuration of the roles `api` and `bootstrap`. @throws ConfigError */
export function loadApiConfig(env: Environment = process.env) {
  return withDefaults(parse(apiSchema, env), '0.0.0.0');
}

/**
 * Reads the configuration of the role `worker`.
 * @throws ConfigError, also where a live worker is given a sandbox, which it must never talk to
 */
export function loadWorkerConfig(env: Environment = process.env) {
  const config = withDefaults(parse(workerSchema, env), '0.0.0.0');
  const derived = config.emulatorRootPrivateKey && curvePublicKey(config.emulatorRootPrivateKey);
  return { ...config, sandboxRootKey: config.sandboxRootKey ?? derived };
}

/** Reads the configuration of the role `migrate`. @throws ConfigError */
export function loadMigrateConfig(env: Environment = process.env) {
  return withDefaults(parse(migrateSchema, env), '0.0.0.0');
}

/** Reads the configuration of the role `emulator`. @throws ConfigError */
export function loadEmulatorConfig(env: Environment = process.env) {
  return withDefaults(parse(emulatorSchema, env), '0.0.0.0');
}

/** The environment without what would point a live worker at a sandbox. */
export function withoutSandbox(env: Environment): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('SANDBOX_')));
}

/** The environment as the process got it, for children. */
export function inheritedEnvironment(): Record<string, string | undefined> {
  return { ...process.env };
}

/** Defaults that depend on other settings or on the role. */
function withDefaults<T extends Settings>(config: T, host: string) {
  return {
    ...config,
    host: config.host ?? host,
    mailFrom: config.mailFrom ?? 'Pingr <pingr@localhost>',
    queue: config.queue ?? (config.redisUrl === undefined ? 'postgres' : 'redis'),
    migrationDatabaseUrl: config.migrationDatabaseUrl ?? config.databaseUrl,
    emulatorStateDir: config.emulatorStateDir ?? `${config.dataDir}/emulator`,
    logFormat: config.logFormat ?? (process.stdout.isTTY ? 'readable' : 'json'),
  } as const;
}

function parse<S extends z.ZodType>(schema: S, env: Environment): z.output<S> {
  const parsed = schema.safeParse(valuesOf(env));
  if (parsed.success) return parsed.data;
  throw new ConfigError(parsed.error.issues.map(describe));
}

/** Empty means absent: Compose passes variables that nobody set as empty ones. */
function valuesOf(env: Environment): Record<string, string> {
  const values = Object.entries(settingsShape).map(([key, schema]) => {
    return [key, env[variables.get(schema)?.env ?? '']] as const;
  });
  return Object.fromEntries(values.flatMap(([key, value]) => (value ? [[key, value]] : [])));
}

/** One line a problem. The value is never shown: it may be a secret. */
function describe({ path, message, code }: z.core.$ZodIssue): string {
  const found = Object.entries(settingsShape).find(([key]) => key === path[0]);
  const name = (found && variables.get(found[1])?.env) ?? String(path[0]);
  return `${name}: ${code === 'invalid_type' && message.includes('undefined') ? 'is required' : message}`;
}

function queueHasServer(config: Pick<Settings, 'queue' | 'redisUrl'>, context: z.RefinementCtx): void {
  if (config.queue === 'redis' && config.redisUrl === undefined) {
    context.addIssue({ code: 'custom', path: ['redisUrl'], message: 'is required with QUEUE=redis' });
  }
}

/** Servers refuse a sender that they do not know, so nothing would arrive. */
function mailHasSender(config: Pick<Settings, 'smtpUrl' | 'mailFrom'>, context: z.RefinementCtx): void {
  if (config.smtpUrl !== undefined && config.mailFrom === undefined) {
    context.addIssue({ code: 'custom', path: ['mailFrom'], message: 'is required with SMTP_URL' });
  }
}

const SANDBOX_KEYS = ['sandboxWsUrl', 'sandboxRootKey', 'sandboxMediaCa'] as const;

function sandboxBelongsToTest(
  config: Pick<Settings, 'workerMode' | 'emulatorRootPrivateKey' | (typeof SANDBOX_KEYS)[number]>,
  context: z.RefinementCtx,
): void {
  const wrong = (path: string, message: string) =>
    context.addIssue({ code: 'custom', path: [path], message });
  if (config.workerMode === 'live') {
    for (const key of SANDBOX_KEYS) {
      if (config[key] !== undefined) wrong(key, 'must not be set for a live worker');
    }
    return;
  }
  if (config.sandboxWsUrl === undefined) wrong('sandboxWsUrl', 'is required for a test worker');
  if (config.sandboxRootKey === undefined && config.emulatorRootPrivateKey === undefined) {
    wrong('sandboxRootKey', 'is required for a test worker');
  }
}
