import { z } from 'zod';
import type { Clock } from '../../lib/clock.ts';
import { idParams } from '../../platform/http/api-fields.ts';
import { pageOf, pageQuery, toPage } from '../../platform/http/page.ts';
import { defineRoute, type Operation, type Route } from '../../platform/http/route.ts';
import { apiKeyErrors } from './api-keys.errors.ts';
import * as schema from './api-keys.schema.ts';
import type { ApiKeysService, IssuedKey } from './api-keys.service.ts';

const read = { tag: 'API keys', scope: 'api_keys:read' } satisfies Partial<Operation>;
const write = { tag: 'API keys', scope: 'api_keys:write' } satisfies Partial<Operation>;
const params = idParams('apiKey');

/** Making, listing, rotating and revoking keys. */
export function apiKeyRoutes(keys: ApiKeysService, clock: Clock): Route[] {
  return [...readRoutes(keys, clock), ...writeRoutes(keys, clock)];
}

function readRoutes(keys: ApiKeysService, clock: Clock): Route[] {
  return [
    defineRoute({
      ...read,
      method: 'GET',
      path: '/v1/api-keys',
      operationId: 'listApiKeys',
      summary: 'List API keys',
      description: 'A test key sees test keys; a live key sees the keys of both modes.',
      query: z.strictObject(pageQuery('apiKey')),
      answers: { 200: { description: 'A page of keys.', schema: pageOf(schema.apiKeyView, 'ApiKeyList') } },
      handler: async ({ ctx, query }) => {
        const found = await keys.list(ctx, { ...query, limit: query.limit + 1 });
        return {
          status: 200,
          body: toPage(found, query, 'apiKey', (row) => schema.showKey(row, clock.now())),
        };
      },
    }),
    defineRoute({
      ...read,
      method: 'GET',
      path: '/v1/api-keys/:id',
      operationId: 'getApiKey',
      summary: 'Get an API key',
      problems: [apiKeyErrors.notFound],
      params,
      answers: { 200: { description: 'The key.', schema: schema.apiKeyView } },
      handler: async ({ ctx, params: { id } }) => ({
        status: 200,
        body: schema.showKey(await keys.get(ctx, id), clock.now()),
      }),
    }),
  ];
}

function writeRoutes(keys: ApiKeysService, clock: Clock): Route[] {
  return [
    defineRoute({
      ...write,
      method: 'POST',
      path: '/v1/api-keys',
      operationId: 'createApiKey',
      summary: 'Create an API key',
      description:
        'The key is in this answer and nowhere else: only a hash is stored. It may do no more than the key that makes it, ends no later, and works from no other addresses.',
      problems: [apiKeyErrors.modeForbidden, apiKeyErrors.scopeForbidden, apiKeyErrors.limitsForbidden],
      body: schema.newApiKeyBody,
      answers: { 201: { description: 'The new key.', schema: schema.issuedKeyView } },
      handler: async ({ ctx, body }) => {
        const { expires_at: expiresAt, allowed_ips: allowedIps, name, mode, scopes } = body;
        const key = { name, expiresAt, allowedIps, ...(mode && { mode }), ...(scopes && { scopes }) };
        return issued(await keys.create(ctx, key), clock);
      },
    }),
    defineRoute({
      ...write,
      method: 'POST',
      path: '/v1/api-keys/:id/rotate',
      operationId: 'rotateApiKey',
      summary: 'Rotate an API key',
      description:
        'Makes a key with the same name, mode, scopes and limits; the old one lives on for the overlap. A key rotates only those that may do no more than itself, end no later, and work from no other addresses.',
      problems: [
        apiKeyErrors.notFound,
        apiKeyErrors.notActive,
        apiKeyErrors.scopeForbidden,
        apiKeyErrors.limitsForbidden,
      ],
      params,
      body: schema.rotateBody,
      answers: { 201: { description: 'The new key.', schema: schema.issuedKeyView } },
      handler: async ({ ctx, params: { id }, body }) =>
        issued(await keys.rotate(ctx, id, body.overlap_seconds), clock),
    }),
    defineRoute({
      ...write,
      method: 'DELETE',
      path: '/v1/api-keys/:id',
      operationId: 'revokeApiKey',
      summary: 'Revoke an API key',
      description:
        'It stops working everywhere within two seconds; streams that it opened end. Whoever may write keys may revoke any that they see, also one that may do more than they: in an emergency nobody waits for an owner.',
      problems: [apiKeyErrors.notFound],
      params,
      answers: { 204: { description: 'The key is revoked.' } },
      handler: async ({ ctx, params: { id } }) => {
        await keys.revoke(ctx, id);
        return { status: 204 };
      },
    }),
  ];
}

function issued({ row, text }: IssuedKey, clock: Clock) {
  const shown = schema.showKey(row, clock.now());
  return { status: 201 as const, body: { ...shown, key: text }, replayBody: { ...shown, key: null } };
}
