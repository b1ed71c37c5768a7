import type { Clock } from '../../lib/clock.ts';
import type { NewUuid } from '../../lib/ids.ts';
import type { Mode } from '../../lib/mode.ts';
import type { Context } from '../../platform/context.ts';
import type { Vault } from '../../platform/crypto/vault.ts';
import type { Database } from '../../platform/db/database.ts';
import type { OutboundHttp, OutboundPolicy } from '../../platform/net/outbound-http.ts';
import type { EventType } from '../events/events.events.ts';
import type { EventsService } from '../events/events.service.ts';
import type { FindSessionProblems } from '../sessions/named-sessions.service.ts';
import type { DeliveryRow } from './deliveries.model.ts';
import type { DeliveryList, WaitingRow } from './deliveries.store.ts';
import { type EndpointSecrets, revealSecrets, rotateSecret } from './endpoint-secrets.ts';
import { type DeliveryDetail, getDelivery, listDeliveriesOf } from './read-deliveries.ts';
import { removeEndpoint } from './remove-endpoint.ts';
import { type Replayed, type ReplayInput, replayDeliveries } from './replay-deliveries.ts';
import { replayDelivery } from './replay-delivery.ts';
import {
  changeEndpoint,
  createEndpoint,
  type EndpointChange,
  existing,
  type NewEndpoint,
} from './save-endpoint.ts';
import { sendSample } from './send-sample.ts';
import { type EndpointWithSecret, showEndpoint } from './show-endpoint.ts';
import { webhookErrors } from './webhooks.errors.ts';
import type { EndpointView } from './webhooks.schema.ts';
import * as store from './webhooks.store.ts';

export interface WebhooksDependencies {
  database: Database;
  vault: Vault;
  newUuid: NewUuid;
  randomBytes: (size: number) => Uint8Array;
  clock: Clock;
  outbound: Pick<OutboundHttp, 'check'>;
  /** What addresses endpoints of a mode may have. */
  policyFor: (mode: Mode) => OutboundPolicy;
  sessionProblems: FindSessionProblems;
  events: Pick<EventsService, 'get'>;
  /** Gets a worker to look at an endpoint's deliveries now. A hint: they are found without it too. */
  wake: (endpointId: string, mode: Mode) => void;
}

/** What an endpoint has not delivered, each counted up to 1,000. */
export interface Backlog {
  pending: number;
  failed: number;
}

/** The use cases of webhook endpoints and their deliveries. Ids are UUIDs; a key sees its account and mode only. */
export interface WebhooksService {
  /**
   * @throws webhook_endpoint.url_refused, webhook_endpoint.session_not_found, webhook_endpoint.events_forbidden,
   *   webhook_endpoint.not_in_plan, webhook_endpoint.too_many, request.invalid
   */
  create(ctx: Context, endpoint: NewEndpoint): Promise<EndpointWithSecret>;
  /** Newest first, each with its UUID. */
  list(
    ctx: Context,
    page: { limit: number; after?: string | undefined },
  ): Promise<{ id: string; view: EndpointView }[]>;
  /** @throws webhook_endpoint.not_found */
  get(ctx: Context, id: string): Promise<EndpointView & { deliveries: Backlog }>;
  /** @throws webhook_endpoint.not_found and what `create` throws */
  update(ctx: Context, id: string, change: EndpointChange): Promise<EndpointView>;
  /** Its deliveries that are not finished are cancelled; all stay listed. @throws webhook_endpoint.not_found */
  remove(ctx: Context, id: string): Promise<void>;
  /** @throws webhook_endpoint.not_found */
  secrets(ctx: Context, id: string): Promise<EndpointSecrets>;
  /** The old secret signs beside the new one for the overlap. @throws webhook_endpoint.not_found */
  rotateSecret(
    ctx: Context,
    id: string,
    rotation: { overlapSeconds: number; secret: string | undefined },
  ): Promise<EndpointWithSecret>;
  /** Makes a delivery of a sample event. @throws webhook_endpoint.not_found, webhook_endpoint.not_enabled */
  test(ctx: Context, id: string, type: EventType): Promise<DeliveryRow>;
  /** Newest first, also those of an endpoint that was deleted. @throws webhook_endpoint.not_found */
  deliveries(ctx: Context, list: DeliveryList): Promise<WaitingRow[]>;
  /** @throws delivery.not_found */
  delivery(ctx: Context, id: string): Promise<DeliveryDetail>;
  /** Sends one delivery again. @throws delivery.not_found, delivery.endpoint_gone */
  replayOne(ctx: Context, id: string): Promise<DeliveryRow>;
  /** Sends deliveries of an endpoint again. @throws webhook_endpoint.not_found */
  replay(ctx: Context, range: ReplayInput): Promise<Replayed>;
}

export function createWebhooksService(deps: WebhooksDependencies): WebhooksService {
  const { database, vault, clock } = deps;
  return {
    create: (ctx, endpoint) => createEndpoint(deps, ctx, endpoint),

    async list(ctx, page) {
      const cipher = await vault.of(ctx.accountId);
      const rows = await database.accountOnce(ctx, (tx) => store.listEndpoints(tx, page));
      return rows.map((row) => ({ id: row.id, view: showEndpoint(row, cipher, clock.now()) }));
    },

    async get(ctx, id) {
      const cipher = await vault.of(ctx.accountId);
      const row = existing(await database.accountOnce(ctx, (tx) => store.findEndpointDetail(tx, id)));
      return {
        ...showEndpoint(row, cipher, clock.now()),
        deliveries: { pending: row.pending, failed: row.failed },
      };
    },

    update: (ctx, id, change) => changeEndpoint(deps, ctx, id, change),

    remove: (ctx, id) => removeEndpoint(deps, ctx, id),
    secrets: (ctx, id) => revealSecrets(deps, ctx, id),
    rotateSecret: (ctx, id, rotation) => rotateSecret(deps, ctx, id, rotation),
    test: (ctx, id, type) => sendSample(deps, ctx, id, type),
    deliveries: (ctx, list) => listDeliveriesOf(deps, ctx, list),
    delivery: (ctx, id) => getDelivery(deps, ctx, id),
    replayOne: (ctx, id) => replayDelivery(deps, ctx, id),

    async replay(ctx, range) {
      const id = range.endpointId;
      if (!(await database.accountOnce(ctx, (tx) => store.endRest(tx, id)))) throw webhookErrors.notFound();
      try {
        return await replayDeliveries(database, ctx, range);
      } finally {
        deps.wake(id, ctx.mode);
      }
    },
  };
}
