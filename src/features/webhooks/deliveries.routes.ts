import type { Clock } from '../../lib/clock.ts';
import { idParams } from '../../platform/http/api-fields.ts';
import { pageOf, toPage } from '../../platform/http/page.ts';
import { defineRoute, type Operation, type Route } from '../../platform/http/route.ts';
import { EVENT_TYPES, SCOPE_OF_TYPE } from '../events/events.events.ts';
import * as schema from './deliveries.schema.ts';
import { EVENT_TYPE_NAMES } from './event-types.ts';
import { samplePayload } from './sample-event.ts';
import { showDelivery, showDeliveryDetail } from './show-delivery.ts';
import { deliveryErrors, webhookErrors } from './webhooks.errors.ts';
import type { WebhooksService } from './webhooks.service.ts';

const ENDPOINT = '/v1/webhook-endpoints/:id';
const DELIVERY = '/v1/deliveries/:id';
const ofEndpoint = idParams('webhookEndpoint');
const ofDelivery = idParams('delivery');
const read = { tag: 'Webhooks', scope: 'webhooks:read' } satisfies Partial<Operation>;
const write = { tag: 'Webhooks', scope: 'webhooks:write' } satisfies Partial<Operation>;
const waiting = { description: 'The delivery, which now waits to be sent.', schema: schema.deliveryView };
/** A replay may go through all that is kept. */
const REPLAY_TIMEOUT_MS = 120_000;

/** What was sent and what became of it, samples, and sending again. */
export function deliveryRoutes(webhooks: WebhooksService, clock: Clock): Route[] {
  return [
    ...readRoutes(webhooks),
    ...replayRoutes(webhooks, clock),
    sampleRoute(webhooks),
    eventTypesRoute(clock),
  ];
}

function readRoutes(webhooks: WebhooksService): Route[] {
  return [
    defineRoute({
      ...read,
      method: 'GET',
      path: `${ENDPOINT}/deliveries`,
      operationId: 'listWebhookDeliveries',
      summary: 'List deliveries of a webhook endpoint',
      description: 'Newest first, also those of an endpoint that was deleted.',
      problems: [webhookErrors.notFound],
      params: ofEndpoint,
      query: schema.deliveryListQuery,
      answers: {
        200: {
          description: 'A page of deliveries.',
          schema: pageOf(schema.deliveryView, 'WebhookDeliveryList'),
        },
      },
      handler: async ({ ctx, params, query }) => {
        const { type: types, limit, ...filter } = query;
        const list = { ...filter, types, endpointId: params.id, limit: limit + 1 };
        const rows = await webhooks.deliveries(ctx, list);
        return { status: 200, body: toPage(rows, query, 'delivery', showDelivery) };
      },
    }),
    defineRoute({
      ...read,
      method: 'GET',
      path: DELIVERY,
      operationId: 'getWebhookDelivery',
      summary: 'Get a delivery',
      description: 'With every attempt, and what was sent.',
      problems: [deliveryErrors.notFound],
      params: ofDelivery,
      answers: { 200: { description: 'The delivery.', schema: schema.deliveryDetailView } },
      handler: async ({ ctx, params: { id } }) => ({
        status: 200,
        body: showDeliveryDetail(await webhooks.delivery(ctx, id)),
      }),
    }),
  ];
}

function replayRoutes(webhooks: WebhooksService, clock: Clock): Route[] {
  return [
    defineRoute({
      ...write,
      method: 'POST',
      path: `${DELIVERY}/replay`,
      operationId: 'replayWebhookDelivery',
      summary: 'Send a delivery again',
      description:
        'With the same `webhook-id`. One that waits for its next try is due now; one that is on its way stays as it is. Ends the rest that the receiver asked for. For a disabled endpoint it waits until that is enabled.',
      problems: [deliveryErrors.notFound, deliveryErrors.endpointGone],
      params: ofDelivery,
      answers: { 202: waiting },
      handler: async ({ ctx, params: { id } }) => ({
        status: 202,
        body: showDelivery(await webhooks.replayOne(ctx, id)),
      }),
    }),
    defineRoute({
      ...write,
      method: 'POST',
      path: `${ENDPOINT}/replay`,
      operationId: 'replayWebhookDeliveries',
      summary: 'Send deliveries of a webhook endpoint again',
      description:
        'All that failed, those of a time range, and with `include_missing` events that were never sent here. Each keeps its `webhook-id`, so that a receiver can tell what it has. Ends the rest that the receiver asked for, so that all that waits is sent. For a disabled endpoint they wait until that is enabled.',
      problems: [webhookErrors.notFound],
      timeoutMs: REPLAY_TIMEOUT_MS,
      params: ofEndpoint,
      body: schema.replayBody,
      answers: { 202: { description: 'How many will be sent again.', schema: schema.replayView } },
      handler: async ({ ctx, params, body }) => {
        const { since, until = clock.now(), status, include_missing: includeMissing } = body;
        const range = { endpointId: params.id, since, until, status, includeMissing };
        return { status: 202, body: await webhooks.replay(ctx, range) };
      },
    }),
  ];
}

function sampleRoute(webhooks: WebhooksService): Route {
  return defineRoute({
    ...write,
    method: 'POST',
    path: `${ENDPOINT}/test`,
    operationId: 'testWebhookEndpoint',
    summary: 'Send a sample event to a webhook endpoint',
    description:
      'It goes the way of all deliveries: signed, tried again, listed. It is sent now also while the endpoint rests (`resting_until`), which goes on. Its payload is marked by `"sample": true`; the session and the message in it do not exist.',
    problems: [webhookErrors.notFound, webhookErrors.notEnabled],
    params: ofEndpoint,
    body: schema.testBody,
    answers: { 202: waiting },
    handler: async ({ ctx, params, body }) => ({
      status: 202,
      body: showDelivery(await webhooks.test(ctx, params.id, body.type)),
    }),
  });
}

function eventTypesRoute(clock: Clock): Route {
  return defineRoute({
    ...read,
    method: 'GET',
    path: '/v1/event-types',
    operationId: 'listEventTypes',
    summary: 'List types of events',
    description: 'Each with a sample of what is sent.',
    answers: { 200: { description: 'Every type there is.', schema: schema.eventTypesView } },
    handler: async ({ ctx: { accountId, mode } }) => {
      const sample = { eventId: EXAMPLE_EVENT, at: clock.now(), mode, accountId };
      const data = EVENT_TYPE_NAMES.map((type) => ({
        type,
        description: EVENT_TYPES[type],
        scope: SCOPE_OF_TYPE[type] ?? null,
        sample: { ...samplePayload({ ...sample, type }) },
      }));
      return { status: 200, body: { data } };
    },
  });
}

const EXAMPLE_EVENT = '01890a5d-ac96-774b-bcce-b302099a8057';
