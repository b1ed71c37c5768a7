import Fastify, { type FastifyInstance } from 'fastify';
import type { Clock } from '../../lib/clock.ts';
import type { Vault } from '../crypto/vault.ts';
import type { Database } from '../db/database.ts';
import type { Log } from '../log/log.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { type AdmissionOptions, createAdmission } from './admission.ts';
import { answerClientError } from './client-error.ts';
import { drainOnClose } from './drain.ts';
import { serveErrorPages } from './error-pages.ts';
import { type HealthOptions, serveHealth } from './health.ts';
import { createIdempotency } from './idempotency.ts';
import { acceptJsonBodies } from './json-body.ts';
import { type ApiInfo, collectOpenApi, serveOpenApi } from './openapi.ts';
import { requestIdOf } from './request-id.ts';
import { logRequests, type RequestRecord } from './request-log.ts';
import type { Route } from './route.ts';
import { handleErrors, sendProblem } from './send-problem.ts';
import { serveRoute } from './serve-route.ts';
import { answerUnmatched } from './unmatched.ts';

export interface AppOptions {
  log: Log;
  database: Database;
  vault: Vault;
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
  admission: AdmissionOptions;
  routes: readonly Route[];
  /** Paths beside the operations of the API, which ask for no key: files behind signed links, pages, webhooks in. */
  pages?: readonly ((app: FastifyInstance) => void | Promise<void>)[];
  info: ApiInfo;
  health: Omit<HealthOptions, 'closing'>;
  metrics?: Pick<Metrics, 'requestDuration'> | undefined;
  /** Told of every request once it is over. */
  onRequest?: (record: RequestRecord) => void;
  newRequestId: () => string;
  /** Whose `X-Forwarded-For` is believed: everybody's or nobody's, that of so many proxies, or of these addresses. */
  trustProxy: boolean | number | string[];
  /** Comment on quiet event streams, in milliseconds. */
  heartbeatMs?: number;
}

const BODY_LIMIT_BYTES = 1_048_576;
/** A request must be complete by then. */
const REQUEST_TIMEOUT_MS = 30_000;
/** A connection on which nothing moves, in either direction. */
const CONNECTION_TIMEOUT_MS = 90_000;
/** Longer than the idle time of usual load balancers (60 s), so that they, not we, close first. */
const KEEP_ALIVE_MS = 72_000;

/**
 * Builds the HTTP edge around the slices' routes; the caller listens. `close()` ends streams, answers what is under
 * way and refuses the rest.
 */
export async function createApp(options: AppOptions): Promise<FastifyInstance> {
  const { log, metrics } = options;
  const app = bareApp(options);
  const closing = drainOnClose(app);
  protect(app);
  acceptJsonBodies(app);
  logRequests(app, { log, metrics, onRequest: options.onRequest });
  handleErrors(app, log);
  answerUnmatched(app);
  await collectOpenApi(app, options.info);

  const edge = {
    admit: createAdmission(options.admission),
    refusals: options.admission.refusals ?? [],
    idempotency: createIdempotency({ ...options, closing }),
    log,
    closing,
    heartbeatMs: options.heartbeatMs ?? 15_000,
  };
  for (const route of options.routes) serveRoute(app, route, edge);
  for (const page of options.pages ?? []) await page(app);
  serveHealth(app, { ...options.health, closing });
  serveErrorPages(app);
  await serveOpenApi(app);
  await app.ready();
  return app;
}

function bareApp({ newRequestId, trustProxy }: AppOptions): FastifyInstance {
  const app = Fastify({
    logger: false,
    trustProxy: typeof trustProxy === 'number' ? (_address, hop) => hop < trustProxy : trustProxy,
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    genReqId: (request) => requestIdOf(request, newRequestId),
    // What arrives on an open connection while the process closes is still answered.
    return503OnClosing: false,
    frameworkErrors: (error, request, reply) => void sendProblem(error, request, reply),
    clientErrorHandler: (error, socket) => answerClientError(error, socket, newRequestId()),
    routerOptions: { ignoreTrailingSlash: true },
  });
  // Routes validate and write themselves, in `route.ts`; their schemas are for the reference.
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => JSON.stringify);
  return app;
}

/** Headers of every answer: nothing is guessed, kept or framed. */
function protect(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers({
      'x-request-id': request.id,
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-frame-options': 'DENY',
    });
    done();
  });
}
