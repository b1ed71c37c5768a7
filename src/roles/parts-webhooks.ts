import { randomBytes } from 'node:crypto';
import { createEventReader } from '../features/events/event-reader.ts';
import type { EventsService } from '../features/events/events.service.ts';
import type { MessagesService } from '../features/messages/messages.service.ts';
import { sessionProblems } from '../features/sessions/named-sessions.service.ts';
import { deliveryRoutes } from '../features/webhooks/deliveries.routes.ts';
import type { DeliveryMetrics } from '../features/webhooks/delivery-metrics.ts';
import { DeliveryPool } from '../features/webhooks/delivery-pool.ts';
import { DELIVERY_SETTINGS } from '../features/webhooks/delivery-settings.ts';
import {
  createEndpointWaker,
  type EndpointWaker,
  webhookWakeQueue,
} from '../features/webhooks/webhook-wake.jobs.ts';
import { webhookRoutes } from '../features/webhooks/webhooks.routes.ts';
import { createWebhooksService } from '../features/webhooks/webhooks.service.ts';
import { newUuid } from '../lib/ids.ts';
import type { Mode } from '../lib/mode.ts';
import { systemClock } from '../lib/system-clock.ts';
import type { Route } from '../platform/http/route.ts';
import type { Metrics } from '../platform/metrics/metrics.ts';
import type { Core } from './core.ts';
import { eventSubjects } from './event-subjects.ts';
import { mailDisabled } from './owner-mails.ts';
import type { Outbound } from './parts-outbound.ts';

/** The API's side of webhooks: its routes, and the hint to a worker where a fact has made deliveries. */
export function openWebhookRoutes(
  core: Core,
  { http, policyFor }: Outbound,
  eventsService: EventsService,
): Route[] {
  const { database, vault, jobs, log, events } = core;
  const waker = createEndpointWaker({ jobs, send: events.send, log });
  core.onCausedWork('webhooks', ({ subject, mode }) => waker.offer(subject, mode));
  const service = createWebhooksService({
    database,
    vault,
    newUuid,
    randomBytes,
    clock: systemClock,
    outbound: http,
    policyFor,
    sessionProblems,
    events: eventsService,
    wake: waker.wake,
  });
  return [...webhookRoutes(service), ...deliveryRoutes(service, systemClock)];
}

interface DeliveryWorker {
  workerId: string;
  mode: Mode;
  messages: Pick<MessagesService, 'load'>;
}

/** Delivers the webhooks of one mode. */
export async function runWebhooks(core: Core, outbound: Outbound, worker: DeliveryWorker): Promise<void> {
  const { jobs, log, events, lifecycle, metrics } = core;
  const { mode } = worker;
  const waker = createEndpointWaker({ jobs, send: events.send, log });
  const pool = await lifecycle.open(
    'webhook deliveries',
    () => startDeliveries(core, outbound, { ...worker, waker }),
    { close: (opened) => opened.drain(), timeoutMs: 6_000 },
  );
  core.beforeMetrics(() => {
    const { lanes, sending, due } = pool.state();
    metrics.webhookLanes.set({ mode }, lanes);
    metrics.webhooksSending.set({ mode }, sending);
    metrics.webhooksDue.set({ mode }, due);
  });
  core.onCausedWork('webhooks', (work) => {
    // What this worker's own sessions cause it delivers itself, which spares the way through the queue.
    if (work.mode === mode) pool.wake(work.subject);
    else waker.offer(work.subject, work.mode);
  });
  await lifecycle.open(
    'webhook wake-ups',
    () =>
      jobs.work(webhookWakeQueue, async ({ endpoint_id: id }) => pool.wake(id), {
        concurrency: 50,
        suffix: mode,
      }),
    { close: (opened) => opened.close(500) },
  );
}

async function startDeliveries(
  { database, vault, notices, log, events, metrics }: Core,
  { http, policyFor, mails }: Outbound,
  { messages, ...worker }: DeliveryWorker & { waker: EndpointWaker },
): Promise<DeliveryPool> {
  const reader = createEventReader({
    database,
    vault,
    log,
    loadMessages: messages.load,
    subjects: eventSubjects({ database, vault }),
  });
  const pool = new DeliveryPool({
    ...worker,
    database,
    vault,
    notices,
    newUuid,
    log,
    clock: systemClock,
    random: Math.random,
    http,
    policy: policyFor(worker.mode),
    showEvents: reader.show,
    metrics: deliveryMetrics(metrics, worker.mode),
    settings: DELIVERY_SETTINGS,
    onFact: (accountId) => {
      events.notify(accountId);
      mails.wake();
    },
    onDisabled: (tx, endpoint) => mailDisabled(mails, tx, endpoint),
  });
  await pool.start();
  return pool;
}

function deliveryMetrics(metrics: Metrics, mode: Mode): DeliveryMetrics {
  return {
    attemptEnded: (outcome) => metrics.webhookAttempts.inc({ mode, outcome }),
    delivered: (ms) => metrics.webhookLatency.observe({ mode }, ms / 1_000),
  };
}
