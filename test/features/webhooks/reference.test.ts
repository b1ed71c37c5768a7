import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SCOPES } from '../../../src/features/api-keys/scopes.ts';
import { openWebhooksApi, type WebhooksApi } from './open-webhooks.ts';

interface Schema {
  description?: string;
  example?: unknown;
  examples?: unknown;
  $ref?: string;
  /** Of a parameter. */
  schema?: Schema;
  properties?: Record<string, Schema>;
  items?: Schema;
  anyOf?: Schema[];
  allOf?: Schema[];
}
interface Operation {
  tags: string[];
  summary: string;
  description: string;
  parameters?: (Schema & { name: string })[];
}

let api: WebhooksApi;
let document: {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
};
beforeAll(async () => {
  api = await openWebhooksApi();
  document = (await api.edge.call('GET', '/openapi.json')).json();
});
afterAll(() => api.close());

const operations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, { tags }]) => tags.includes('Webhooks'))
      .map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, ...operation })),
  );

/** A field and what it is made of: a nullable one is a choice, a parameter has a schema of its own. */
const layers = (field: Schema): Schema[] => [
  field,
  ...[field.schema ?? [], field.anyOf ?? [], field.allOf ?? []].flat().flatMap(layers),
];
const isDescribed = (field: Schema) => layers(field).some(({ description, $ref }) => description || $ref);
/** Whether a field shows what it looks like: itself, or by what it is made of. */
const isShown = (field: Schema): boolean =>
  layers(field).some(
    ({ example, examples, $ref, properties, items }) =>
      example !== undefined ||
      examples !== undefined ||
      $ref !== undefined ||
      properties !== undefined ||
      (items !== undefined && isShown(items)),
  );

describe('the reference of webhooks', () => {
  it('lists the operations', () => {
    expect(
      operations()
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual([
      'DELETE /v1/webhook-endpoints/{id}',
      'GET /v1/deliveries/{id}',
      'GET /v1/event-types',
      'GET /v1/webhook-endpoints',
      'GET /v1/webhook-endpoints/{id}',
      'GET /v1/webhook-endpoints/{id}/deliveries',
      'GET /v1/webhook-endpoints/{id}/secret',
      'PATCH /v1/webhook-endpoints/{id}',
      'POST /v1/deliveries/{id}/replay',
      'POST /v1/webhook-endpoints',
      'POST /v1/webhook-endpoints/{id}/replay',
      'POST /v1/webhook-endpoints/{id}/rotate-secret',
      'POST /v1/webhook-endpoints/{id}/test',
    ]);
  });

  it('names scopes that there are', () => {
    for (const { name, description } of operations()) {
      const scope = /Needs the scope `([^`]+)`/.exec(description)?.[1];
      expect([name, SCOPES.some((known) => known === scope)]).toEqual([name, true]);
    }
  });

  it('describes every field and parameter, with an example', () => {
    const schemas = Object.entries(document.components.schemas).filter(([name]) =>
      /^(New)?(Webhook|Rotate|EventType)/.test(name),
    );
    expect(schemas.length).toBeGreaterThan(15);
    const fields = schemas.flatMap(([name, { properties = {} }]) =>
      Object.entries(properties).map(([field, schema]) => ({ field: `${name}.${field}`, schema })),
    );
    const parameters = operations().flatMap(({ name, parameters: list = [] }) =>
      list.map((schema) => ({ field: `${name} ${schema.name}`, schema })),
    );
    const all = [...fields, ...parameters];
    expect(all.filter(({ schema }) => !isDescribed(schema)).map(({ field }) => field)).toEqual([]);
    expect(all.filter(({ schema }) => !isShown(schema)).map(({ field }) => field)).toEqual([]);
  });
});
