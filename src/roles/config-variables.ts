import { z } from 'zod';
import { MODES } from '../lib/mode.ts';
import { LOG_LEVELS } from '../platform/log/log.ts';
import { billingShape } from './config-billing.ts';
import { filesShape } from './config-files.ts';
import { outboundShape } from './config-outbound.ts';
import { ROLES, variables } from './config-registry.ts';
import { sandboxShape } from './config-sandbox.ts';
import { signInShape } from './config-sign-in.ts';
import { bytes32, port, trustProxy, versionTriple } from './config-values.ts';

const everyRole = ROLES;
const services = ['all', 'api', 'worker'] as const;
const milliseconds = z.coerce.number().int().positive();

/** Every variable, by the name that the program knows it under. Values arrive as text; absent and empty are one. */
export const settingsShape = {
  dataDir: z
    .string()
    .default('.pingr')
    .register(variables, {
      env: 'PINGR_DATA_DIR',
      section: 'Process',
      doc: 'Directory for the embedded database, generated secrets, credentials, files, the emulator and the payment sandbox.',
      default: '.pingr',
      roles: ['all', 'api', 'worker', 'emulator', 'payment-sandbox'],
    }),
  logLevel: z
    .enum(LOG_LEVELS)
    .default('info')
    .register(variables, {
      env: 'LOG_LEVEL',
      section: 'Process',
      doc: `Least severe level that is logged: ${LOG_LEVELS.join(', ')}.`,
      default: 'info',
      roles: everyRole,
    }),
  logFormat: z.enum(['json', 'readable']).optional().register(variables, {
    env: 'LOG_FORMAT',
    section: 'Process',
    doc: '`json` for collectors, `readable` for people.',
    default: '`readable` at a terminal, else `json`',
    roles: everyRole,
  }),
  shutdownTimeoutMs: milliseconds.default(9_000).register(variables, {
    env: 'SHUTDOWN_TIMEOUT_MS',
    section: 'Process',
    doc: 'Longest time for an orderly shutdown, in milliseconds.',
    default: '9000',
    roles: everyRole,
  }),

  port: port.default(3000).register(variables, {
    env: 'PORT',
    section: 'HTTP',
    doc: 'Port of the API.',
    default: '3000',
    roles: ['all', 'api'],
  }),
  host: z
    .string()
    .optional()
    .register(variables, {
      env: 'HOST',
      section: 'HTTP',
      doc: 'Address that the API listens on.',
      default: '`127.0.0.1` in `all`, else `0.0.0.0`',
      roles: ['all', 'api'],
    }),
  trustProxy: trustProxy.default(false).register(variables, {
    env: 'TRUST_PROXY',
    section: 'HTTP',
    doc: 'Whose `X-Forwarded-For` is believed: `true`, `false`, a number of proxies, or addresses with commas.',
    default: 'false',
    roles: ['api'],
  }),
  metricsToken: z
    .string()
    .min(16)
    .optional()
    .register(variables, {
      env: 'METRICS_TOKEN',
      section: 'HTTP',
      doc: 'Bearer token that `/metrics` asks for; without it anybody who reaches the port may read them.',
      secret: true,
      roles: ['api', 'worker'],
    }),

  rateLimitTest: z.coerce
    .number()
    .int()
    .positive()
    .default(60_000)
    .register(variables, {
      env: 'RATE_LIMIT_TEST',
      section: 'HTTP',
      doc: 'Requests a minute that the test keys of an account may make, where its plan does not say.',
      default: '60000',
      roles: ['api'],
    }),
  rateLimitLive: z.coerce
    .number()
    .int()
    .positive()
    .default(1_200)
    .register(variables, {
      env: 'RATE_LIMIT_LIVE',
      section: 'HTTP',
      doc: 'Requests a minute that the live keys of an account may make, where its plan does not say.',
      default: '1200',
      roles: ['api'],
    }),
  countryDatabase: z
    .string()
    .optional()
    .register(variables, {
      env: 'COUNTRY_DATABASE',
      section: 'HTTP',
      doc: "Database of the countries of addresses, a file in MaxMind's format such as `GeoLite2-Country.mmdb`; read at the start.",
      default: 'one that comes with the program',
      roles: ['all', 'api'],
    }),

  databaseUrl: z
    .url({ protocol: /^postgres(ql)?$/ })
    .optional()
    .register(variables, {
      env: 'DATABASE_URL',
      section: 'Database and queue',
      doc: 'Postgres 15 or newer, by a session connection (on Supabase: the direct or the session pooler port).',
      default: 'in `all`: an embedded Postgres; else required',
      secret: true,
      roles: ['all', 'api', 'worker', 'migrate', 'bootstrap'],
    }),
  migrationDatabaseUrl: z
    .url({ protocol: /^postgres(ql)?$/ })
    .optional()
    .register(variables, {
      env: 'MIGRATION_DATABASE_URL',
      section: 'Database and queue',
      doc: 'Same database as its owner, for migrations.',
      default: 'DATABASE_URL',
      secret: true,
      roles: ['all', 'migrate'],
    }),
  databasePoolSize: z.coerce.number().int().min(2).max(200).default(10).register(variables, {
    env: 'DATABASE_POOL_SIZE',
    section: 'Database and queue',
    doc: 'Most database connections of one process; its queue has as many again, and one more a queue it works on.',
    default: '10',
    roles: services,
  }),
  redisUrl: z
    .url({ protocol: /^rediss?$/ })
    .optional()
    .register(variables, {
      env: 'REDIS_URL',
      section: 'Database and queue',
      doc: 'Redis 6.2 or newer with `maxmemory-policy noeviction`, for the queue and rate limits.',
      secret: true,
      roles: services,
    }),
  queue: z.enum(['postgres', 'redis']).optional().register(variables, {
    env: 'QUEUE',
    section: 'Database and queue',
    doc: 'What the queue runs on: `postgres` or `redis`.',
    default: '`redis` where REDIS_URL is set, else `postgres`',
    roles: services,
  }),
  queuePrefix: z
    .string()
    .regex(/^[\w-]+$/)
    .default('pingr')
    .register(variables, {
      env: 'QUEUE_PREFIX',
      section: 'Database and queue',
      doc: 'Start of every key in Redis, so that installations can share a server.',
      default: 'pingr',
      roles: services,
    }),

  masterKey: bytes32.optional().register(variables, {
    env: 'MASTER_KEY',
    section: 'Secrets',
    doc: "32 bytes as hex or base64 that wrap every account's data key; losing it loses the data.",
    default: 'in `all`: made at the first start and kept in the data directory; else required',
    secret: true,
    roles: [...services, 'bootstrap'],
  }),
  apiKeyPepper: bytes32.optional().register(variables, {
    env: 'API_KEY_PEPPER',
    section: 'Secrets',
    doc: '32 bytes as hex or base64 that API keys are hashed under; changing it voids every key.',
    default: 'as MASTER_KEY',
    secret: true,
    roles: ['all', 'api', 'bootstrap'],
  }),

  workerMode: z
    .enum(MODES)
    .optional()
    .register(variables, {
      env: 'WORKER_MODE',
      section: 'Worker',
      doc: 'Which sessions the worker holds: `test` (sandbox) or `live` (WhatsApp itself).',
      default: 'required',
      roles: ['worker'],
    }),
  whatsappVersion: versionTriple.optional().register(variables, {
    env: 'WHATSAPP_VERSION',
    section: 'Worker',
    doc: 'WhatsApp Web version to report, such as `2,3000,1023223821`, when WhatsApp refuses the built-in one.',
    default: "the library's",
    roles: ['all', 'worker'],
  }),

  ...filesShape,
  ...outboundShape,
  ...billingShape,

  ...sandboxShape,
  ...signInShape,
} as const;
