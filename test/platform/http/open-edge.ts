import { randomBytes } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { z } from 'zod';
import { newUuid, toId } from '../../../src/lib/ids.ts';
import { systemClock } from '../../../src/lib/system-clock.ts';
import { createVault, type Vault } from '../../../src/platform/crypto/vault.ts';
import type { Database } from '../../../src/platform/db/database.ts';
import type { Principal } from '../../../src/platform/http/admission.ts';
import { type AppOptions, createApp } from '../../../src/platform/http/app.ts';
import type { Problem } from '../../../src/platform/http/problem.ts';
import type { Route } from '../../../src/platform/http/route.ts';
import { createLog } from '../../../src/platform/log/log.ts';
import { createMetrics } from '../../../src/platform/metrics/metrics.ts';
import { createRateLimiter } from '../../../src/platform/rate-limit/rate-limiter.ts';
import { createMemoryStore } from '../../../src/platform/rate-limit/stores.ts';

export interface EdgeOptions {
  routes: Route[];
  database?: Database;
  vault?: Vault;
  limit?: number;
  rateLimitOf?: AppOptions['admission']['rateLimitOf'];
  refusals?: AppOptions['admission']['refusals'];
  failureLimit?: number;
  authenticate?: AppOptions['admission']['authenticate'];
  health?: AppOptions['health'];
  heartbeatMs?: number;
  trustProxy?: AppOptions['trustProxy'];
  onRequest?: AppOptions['onRequest'];
  pages?: AppOptions['pages'];
}

export type Edge = Awaited<ReturnType<typeof openEdge>>;

export const KEY = 'the-key';

/** Everything that `KEY` stands for. */
export function principal(over: Partial<Principal> = {}): Principal {
  return {
    accountId: newUuid(),
    mode: 'test',
    actor: { type: 'api_key', id: newUuid() },
    scopes: new Set(['*']),
    logFields: { account: 'acc_1', key: 'key_1' },
    ...over,
  };
}

/** For routes that touch no data. */
const noDatabase: Database = {
  account: () => Promise.reject(new Error('no database here')),
  accountOnce: () => Promise.reject(new Error('no database here')),
  system: () => Promise.reject(new Error('no database here')),
  systemOnce: () => Promise.reject(new Error('no database here')),
};

/** Listens on a free port of 127.0.0.1 with the given routes. */
export async function openEdge(options: EdgeOptions) {
  const out = new PassThrough();
  const lines: Record<string, unknown>[] = [];
  out.on('data', (chunk: Buffer) => {
    for (const line of chunk.toString().trim().split('\n')) lines.push(JSON.parse(line));
  });
  const metrics = createMetrics({ process: false });
  const known = principal();
  const limiter = () =>
    createRateLimiter({ store: createMemoryStore(), clock: systemClock, windowMs: 60_000 });
  const app = await createApp({
    log: createLog({ level: 'debug', format: 'json', destination: out }),
    database: options.database ?? noDatabase,
    vault:
      options.vault ?? createVault({ masterKey: randomBytes(32), loadWrappedKey: async () => undefined }),
    clock: systemClock,
    random: Math.random,
    routes: options.routes,
    info: { title: 'Pingr', version: '1.0.0', description: 'Test.' },
    metrics,
    newRequestId: () => toId('request', newUuid()),
    trustProxy: options.trustProxy ?? false,
    health: options.health ?? { checks: {}, gather: () => metrics.registry.metrics() },
    admission: {
      authenticate: options.authenticate ?? (async () => known),
      rateLimiter: limiter(),
      rateLimitOf: options.rateLimitOf ?? (() => options.limit ?? 10_000),
      ...(options.refusals && { refusals: options.refusals }),
      failureLimiter: limiter(),
      failureLimit: options.failureLimit ?? 1_000,
    },
    ...(options.onRequest && { onRequest: options.onRequest }),
    ...(options.heartbeatMs && { heartbeatMs: options.heartbeatMs }),
    ...(options.pages && { pages: options.pages }),
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });

  /** Sends a request with `KEY`; a body that is no string goes as JSON. */
  async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        'x-api-key': KEY,
        ...(text === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(text === undefined ? {} : { body: text }),
    });
    const answer = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      text: answer,
      json: <T = Problem>(): T => JSON.parse(answer),
    };
  }

  return { app, url, lines, call, close: () => app.close() };
}

export const nameBody = z
  .strictObject({ name: z.string().min(1).meta({ description: 'A name.', example: 'x' }) })
  .meta({ id: 'NameBody', description: 'A name.' });

export const nameView = z
  .object({ name: z.string().meta({ description: 'A name.', example: 'x' }) })
  .meta({ id: 'NameView', description: 'A name.' });
