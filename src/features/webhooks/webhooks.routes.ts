import { z } from 'zod';
import { idParams } from '../../platform/http/api-fields.ts';
import { pageOf, pageQuery, toPage } from '../../platform/http/page.ts';
import { defineRoute, type Operation, type Route } from '../../platform/http/route.ts';
import type { EndpointWithSecret } from './show-endpoint.ts';
import { webhookErrors } from './webhooks.errors.ts';
import * as schema from './webhooks.schema.ts';
import type { WebhooksService } from './webhooks.service.ts';

const COLLECTION = '/v1/webhook-endpoints';
const ENDPOINT = `${COLLECTION}/:id`;
const SECRET = `${ENDPOINT}/secret`;
const params = idParams('webhookEndpoint');
const read = {
  tag: 'Webhooks',
  scope: 'webhooks:read',
  problems: [webhookErrors.notFound],
} satisfies Partial<Operation>;
const write = { ...read, scope: 'webhooks:write' } satisfies Partial<Operation>;
const refused = [
  webhookErrors.urlRefused,
  webhookErrors.unknownSession,
  webhookErrors.eventsForbidden,
  webhookErrors.notInPlan,
];

/** Where events are sent, and the secrets that they are signed with. */
export function webhookRoutes(webhooks: WebhooksService): Route[] {
  return [...collectionRoutes(webhooks), ...memberRoutes(webhooks), ...secretRoutes(webhooks)];
}

function collectionRoutes(webhooks: WebhooksService): Route[] {
  return [
    defineRoute({
      ...write,
      method: 'POST',
      path: COLLECTION,
      operationId: 'createWebhookEndpoint',
      summary: 'Create a webhook endpoint',
      description:
        'Events of the mode are then sent there by POST, signed with the secret in this answer (Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature`; and `x-pingr-signature`). An account may have 50 endpoints in each mode.',
      problems: [...refused, webhookErrors.tooMany],
      body: schema.newEndpointBody,
      answers: { 201: { description: 'The new endpoint.', schema: schema.endpointWithSecretView } },
      handler: async ({ ctx, body }) => ({
        status: 201,
        ...withSecret(await webhooks.create(ctx, { ...body, secret: body.secret })),
      }),
    }),
    defineRoute({
      ...read,
      method: 'GET',
      path: COLLECTION,
      operationId: 'listWebhookEndpoints',
      summary: 'List webhook endpoints',
      problems: [],
      query: z.strictObject(pageQuery('webhookEndpoint')),
      answers: {
        200: {
          description: 'A page of endpoints.',
          schema: pageOf(schema.endpointView, 'WebhookEndpointList'),
        },
      },
      handler: async ({ ctx, query }) => {
        const found = await webhooks.list(ctx, { ...query, limit: query.limit + 1 });
        return { status: 200, body: toPage(found, query, 'webhookEndpoint', ({ view }) => view) };
      },
    }),
  ];
}

function memberRoutes(webhooks: WebhooksService): Route[] {
  return [
    defineRoute({
      ...read,
      method: 'GET',
      path: ENDPOINT,
      operationId: 'getWebhookEndpoint',
      summary: 'Get a webhook endpoint',
      description: 'With the number of deliveries that wait or have failed.',
      params,
      answers: { 200: { description: 'The endpoint.', schema: schema.endpointDetailView } },
      handler: async ({ ctx, params: { id } }) => ({ status: 200, body: await webhooks.get(ctx, id) }),
    }),
    defineRoute({
      ...write,
      method: 'PATCH',
      path: ENDPOINT,
      operationId: 'updateWebhookEndpoint',
      summary: 'Change a webhook endpoint',
      description:
        'Takes effect with the next attempt. An endpoint that is enabled, or gets another URL, is sent at once what waits for it, though its server asked for rest. What waits is what had happened before it was disabled; later events were not kept for it. `POST /v1/webhook-endpoints/:id/replay` with `{"include_missing": true, "since": "<disabled_at>"}` brings them, and what failed since.',
      problems: [webhookErrors.notFound, ...refused],
      params,
      body: schema.endpointChangeBody,
      answers: { 200: { description: 'The endpoint.', schema: schema.endpointView } },
      handler: async ({ ctx, params: { id }, body }) => ({
        status: 200,
        body: await webhooks.update(ctx, id, body),
      }),
    }),
    defineRoute({
      ...write,
      method: 'DELETE',
      path: ENDPOINT,
      operationId: 'deleteWebhookEndpoint',
      summary: 'Delete a webhook endpoint',
      description: 'Deliveries that wait are cancelled. All of its deliveries can still be listed.',
      params,
      answers: { 204: { description: 'The endpoint is gone.' } },
      handler: async ({ ctx, params: { id } }) => {
        await webhooks.remove(ctx, id);
        return { status: 204 };
      },
    }),
  ];
}

function secretRoutes(webhooks: WebhooksService): Route[] {
  return [
    defineRoute({
      ...write,
      method: 'GET',
      path: SECRET,
      operationId: 'getWebhookSecret',
      summary: 'Reveal the secret of a webhook endpoint',
      params,
      answers: { 200: { description: 'The secrets that sign now.', schema: schema.secretView } },
      handler: async ({ ctx, params: { id } }) => {
        const { secret, previous } = await webhooks.secrets(ctx, id);
        const body = {
          secret,
          previous_secret: previous?.secret ?? null,
          previous_secret_until: previous?.until.toISOString() ?? null,
        };
        return { status: 200, body };
      },
    }),
    defineRoute({
      ...write,
      method: 'POST',
      path: `${ENDPOINT}/rotate-secret`,
      operationId: 'rotateWebhookSecret',
      summary: 'Rotate the secret of a webhook endpoint',
      description:
        'For the overlap deliveries carry a signature of each secret, so that a receiver may know either. A secret that was still overlapping from the rotation before ends.',
      params,
      body: schema.rotateSecretBody,
      answers: {
        200: { description: 'The endpoint with its new secret.', schema: schema.endpointWithSecretView },
      },
      handler: async ({ ctx, params: { id }, body: { overlap_seconds: overlapSeconds, secret } }) => ({
        status: 200,
        ...withSecret(await webhooks.rotateSecret(ctx, id, { overlapSeconds, secret })),
      }),
    }),
  ];
}

function withSecret({ view, secret }: EndpointWithSecret) {
  return { body: { ...view, secret }, replayBody: { ...view, secret: null } };
}
