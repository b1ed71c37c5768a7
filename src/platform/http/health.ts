import { timingSafeEqual } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { authErrors } from './http.errors.ts';

export interface HealthOptions {
  /** What must work for the process to be of use; each rejects when it does not. */
  checks: Record<string, () => Promise<unknown>>;
  /** Longest time for a check, in milliseconds. */
  timeoutMs?: number;
  /** Text for `/metrics`, which is not served without it. */
  gather?: (() => Promise<string>) | undefined;
  /** Bearer token that `/metrics` asks for, where set. */
  metricsToken?: string | undefined;
  /** Aborts when the process shuts down: it is then no longer ready. */
  closing: AbortSignal;
}

/** Serves `/healthz` (the process lives), `/readyz` (its dependencies work) and `/metrics`. */
export function serveHealth(app: FastifyInstance, options: HealthOptions): void {
  const { checks, timeoutMs = 2_000, gather, metricsToken, closing } = options;
  const hidden = { schema: { hide: true } };

  app.get('/healthz', hidden, async () => ({ status: 'ok' }));

  app.get('/readyz', hidden, async (_request, reply) => {
    const results = await Promise.all(
      Object.entries(checks).map(async ([name, check]) => [name, await outcomeOf(check, timeoutMs)] as const),
    );
    const ready = !closing.aborted && results.every(([, outcome]) => outcome === 'ok');
    reply.code(ready ? 200 : 503);
    return {
      status: closing.aborted ? 'closing' : ready ? 'ready' : 'not_ready',
      checks: Object.fromEntries(results),
    };
  });

  if (gather === undefined) return;
  app.get('/metrics', hidden, async (request, reply) => {
    if (metricsToken !== undefined && !isBearer(request.headers.authorization, metricsToken)) {
      throw authErrors.missing({ detail: 'The metrics ask for their own bearer token.' });
    }
    return reply.type('text/plain; version=0.0.4; charset=utf-8').send(await gather());
  });
}

/** Says nothing of the reason, which the process logs elsewhere. */
async function outcomeOf(
  check: () => Promise<unknown>,
  timeoutMs: number,
): Promise<'ok' | 'failed' | 'timed_out'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'timed_out'>((resolve) => {
    timer = setTimeout(() => resolve('timed_out'), timeoutMs);
  });
  const checked = check().then(
    () => 'ok' as const,
    () => 'failed' as const,
  );
  const outcome = await Promise.race([checked, late]);
  clearTimeout(timer);
  return outcome;
}

function isBearer(header: string | undefined, token: string): boolean {
  const expected = Buffer.from(`Bearer ${token}`);
  const given = Buffer.from(header ?? '');
  return given.length === expected.length && timingSafeEqual(given, expected);
}
