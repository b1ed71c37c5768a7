import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** Where requests, sends and jobs spend their time: a millisecond to half a minute. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** What a process counts and measures. Labels have few values: never an id, a number or a path with ids in it. */
export interface Metrics {
  /** The registry's lines, for `/metrics`. */
  registry: Registry;
  requestDuration: Histogram<'method' | 'route' | 'status'>;
  /** Requests by what became of their record: written, dropped, or anonymous, which belongs to no account. */
  activity: Counter<'outcome'>;
  queueDepth: Gauge<'queue' | 'state'>;
  jobDuration: Histogram<'queue' | 'outcome'>;
  /** From acceptance of a message to the moment its lane takes it up. */
  laneLag: Histogram<'mode'>;
  /** Sockets of this process by state. */
  sockets: Gauge<'mode' | 'state'>;
  sends: Counter<'mode' | 'outcome'>;
  /** From handing a message to the socket to the server's ack. */
  sendDuration: Histogram<'mode'>;
  receipts: Counter<'mode' | 'status'>;
  inbound: Counter<'mode'>;
  /** Connections that ended, by close code, and what followed. */
  disconnects: Counter<'mode' | 'code'>;
  reconnects: Counter<'mode'>;
  webhookAttempts: Counter<'mode' | 'outcome'>;
  /** From an event to the receiver's 2xx for it. */
  webhookLatency: Histogram<'mode'>;
  /** Endpoints that this process delivers to, its requests under way, and what waited when it last looked. */
  webhookLanes: Gauge<'mode'>;
  webhooksSending: Gauge<'mode'>;
  webhooksDue: Gauge<'mode'>;
  /** From a message being stored to its triggers being done with it. */
  triggerLooks: Histogram<'mode' | 'outcome'>;
  triggerReplies: Counter<'mode' | 'outcome'>;
  /** Triggers that did not look at a message, because others of their account took too long. */
  triggersSkipped: Counter<'mode'>;
  replyUrls: Histogram<'mode' | 'outcome'>;
}

/** Makes the metrics of one process, in a registry of their own. `process`: also memory, CPU and event loop lag. */
export function createMetrics({ process = true }: { process?: boolean } = {}): Metrics {
  const registry = new Registry();
  const registers = [registry];
  // By default the event loop's delay is sampled a hundred times a second: most of what an idle process does.
  if (process) collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 });

  const counter = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Counter<L>({ name: `pingr_${name}_total`, help, labelNames, registers });
  const gauge = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Gauge<L>({ name: `pingr_${name}`, help, labelNames, registers });
  const seconds = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Histogram<L>({ name: `pingr_${name}_seconds`, help, labelNames, buckets: SECONDS, registers });

  return {
    registry,
    requestDuration: seconds('http_request_duration', 'Time to answer a request', [
      'method',
      'route',
      'status',
    ]),
    activity: counter('activity', 'Requests by what became of their record', ['outcome']),
    queueDepth: gauge('queue_jobs', 'Jobs in a queue by state', ['queue', 'state']),
    jobDuration: seconds('job_duration', 'Time to work on a job', ['queue', 'outcome']),
    laneLag: seconds('lane_lag', 'Time from accepting a message to its lane taking it up', ['mode']),
    sockets: gauge('sockets', 'WhatsApp sockets of this process by state', ['mode', 'state']),
    sends: counter('sends', 'Messages handed to WhatsApp by outcome', ['mode', 'outcome']),
    sendDuration: seconds('send_duration', "Time from sending to the server's ack", ['mode']),
    receipts: counter('receipts', 'Receipts by status', ['mode', 'status']),
    inbound: counter('inbound_messages', 'Messages received', ['mode']),
    disconnects: counter('disconnects', 'Connections that ended, by close code', ['mode', 'code']),
    reconnects: counter('reconnects', 'Connections opened again', ['mode']),
    webhookAttempts: counter('webhook_attempts', 'Tries to deliver a webhook by outcome', [
      'mode',
      'outcome',
    ]),
    webhookLatency: seconds('webhook_latency', 'Time from an event to its delivery', ['mode']),
    webhookLanes: gauge('webhook_lanes', 'Webhook endpoints that this process delivers to', ['mode']),
    webhooksSending: gauge('webhooks_sending', 'Webhook requests under way', ['mode']),
    triggerLooks: seconds('trigger_look', 'Time until triggers were done with a message', [
      'mode',
      'outcome',
    ]),
    triggerReplies: counter('trigger_replies', 'Replies of triggers by outcome', ['mode', 'outcome']),
    triggersSkipped: counter('triggers_skipped', 'Triggers that did not look at a message for want of time', [
      'mode',
    ]),
    replyUrls: seconds('reply_url_duration', 'Time that reply URLs took', ['mode', 'outcome']),
    webhooksDue: gauge('webhooks_due', 'Webhook deliveries that waited at the last look', ['mode']),
  };
}

/** Shows the depths of the queues as they are now. */
export function setQueueDepths(
  metrics: Pick<Metrics, 'queueDepth'>,
  depths: readonly { queue: string; counts: Record<string, number> }[],
): void {
  for (const { queue, counts } of depths) {
    for (const [state, count] of Object.entries(counts)) metrics.queueDepth.set({ queue, state }, count);
  }
}
