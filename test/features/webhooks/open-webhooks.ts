import { randomBytes } from 'node:crypto';
import { sessionProblems } from '../../../src/features/sessions/named-sessions.service.ts';
import { deliveryRoutes } from '../../../src/features/webhooks/deliveries.routes.ts';
import { webhookRoutes } from '../../../src/features/webhooks/webhooks.routes.ts';
import { createWebhooksService } from '../../../src/features/webhooks/webhooks.service.ts';
import { fromId, newUuid, toId } from '../../../src/lib/ids.ts';
import { systemClock } from '../../../src/lib/system-clock.ts';
import { createOutboundHttp } from '../../../src/platform/net/outbound-http.ts';
import { faulty, openApi } from '../api-keys/open-api.ts';
import { openParts } from '../events/open-events.ts';

export type WebhooksApi = Awaited<ReturnType<typeof openWebhooksApi>>;

/** An endpoint as the API shows it; `secret` where it was just made. */
export interface Endpoint {
  id: string;
  url: string;
  mode: string;
  description: string | null;
  events: string[];
  sessions: string[] | null;
  headers: Record<string, string>;
  enabled: boolean;
  disabled_reason: string | null;
  disabled_at: string | null;
  failing_since: string | null;
  resting_until: string | null;
  previous_secret_until: string | null;
  secret: string | null;
  deliveries: { pending: number; failed: number };
}

export interface Delivery {
  id: string;
  endpoint_id: string;
  event_id: string;
  event_type: string;
  sample: boolean;
  status: string;
  attempt_count: number;
  next_attempt_at: string | null;
  finished_at: string | null;
  attempts: Record<string, unknown>[];
  payload: Record<string, unknown> | null;
}

/** What names stand for, in these tests. */
const NAMES: Record<string, string> = {
  'hooks.example.com': '93.184.216.34',
  'inside.example.com': '10.0.0.7',
};

/** The API with webhooks and events. Nobody delivers: `woken` says who would have been asked to. */
export async function openWebhooksApi() {
  const woken: { endpointId: string; mode: string }[] = [];
  const opened: Awaited<ReturnType<typeof openParts>>[] = [];
  const outbound = createOutboundHttp({
    resolve: async (host) => [{ address: NAMES[host] ?? '93.184.216.34', family: 4 }],
  });
  const api = await openApi(async ({ db, faults }) => {
    const database = faulty(db.database, faults);
    const parts = await openParts({ ...db, database });
    opened.push(parts);
    const webhooks = createWebhooksService({
      database,
      vault: db.vault,
      newUuid,
      randomBytes,
      clock: systemClock,
      outbound,
      policyFor: (mode) => ({ https: mode === 'live' ? 'required' : 'optional', loopback: mode === 'test' }),
      events: parts.events,
      sessionProblems,
      wake: (endpointId, mode) => woken.push({ endpointId, mode }),
    });
    return [...webhookRoutes(webhooks), ...deliveryRoutes(webhooks, systemClock)];
  });

  /** Creates an endpoint and returns it with its UUID. */
  async function createEndpoint(key: string, body: object = {}) {
    const answer = await api.call(key, 'POST', '/v1/webhook-endpoints', {
      url: 'https://hooks.example.com/pingr',
      ...body,
    });
    if (answer.status !== 201) throw new Error(answer.text);
    const endpoint = answer.json<Endpoint>();
    return { ...endpoint, uuid: fromId('webhookEndpoint', endpoint.id) ?? '' };
  }

  /** Deliveries of an endpoint as they are stored, in the order of their events. */
  async function stored(endpointUuid: string) {
    const { rows } = await api.db.owner.query<{
      id: string;
      event_id: string;
      event_type: string;
      status: string;
      attempts: number;
      tries: number;
      due: boolean;
      rank: number;
      finished_at: Date | null;
    }>(
      `select *, next_attempt_at <= now() as due from webhook_deliveries where endpoint_id = $1 order by event_at, id`,
      [endpointUuid],
    );
    return rows;
  }

  return {
    ...api,
    woken,
    createEndpoint,
    stored,
    delivery: (uuid: string) => `/v1/deliveries/${toId('delivery', uuid)}`,
    async close() {
      await api.edge.close();
      for (const parts of opened) await parts.close();
      await outbound.close();
      await api.close();
    },
  };
}
