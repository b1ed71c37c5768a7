import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { streamQuery } from '../../../src/platform/http/event-stream.ts';
import { requestErrors } from '../../../src/platform/http/http.errors.ts';
import { pageOf, pageQuery } from '../../../src/platform/http/page.ts';
import { defineRoute, defineStream } from '../../../src/platform/http/route.ts';
import { type Edge, nameBody, nameView, openEdge } from './open-edge.ts';

const routes = [
  defineRoute({
    method: 'POST',
    path: '/v1/things/:id',
    operationId: 'createThing',
    summary: 'Make a thing',
    description: 'It is made.',
    tag: 'Things',
    scope: 'things:write',
    cost: 3,
    problems: [requestErrors.notAcceptable],
    params: z.object({ id: z.string().meta({ description: 'Id.', example: '1' }) }),
    body: nameBody,
    answers: { 201: { description: 'The thing.', schema: nameView, headers: { location: 'Where it is.' } } },
    handler: async () => ({ status: 201, body: { name: 'x' } }),
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/things',
    operationId: 'listThings',
    summary: 'List things',
    tag: 'Things',
    scope: undefined,
    query: z.strictObject({
      ...pageQuery('message'),
      kind: z.string().meta({ description: 'Of which kind.', example: 'big' }).optional(),
    }),
    answers: { 200: { description: 'A page.', schema: pageOf(nameView, 'ThingList') } },
    handler: async () => ({ status: 200, body: { data: [], has_more: false, next_cursor: null } }),
  }),
  defineStream({
    path: '/v1/things/stream',
    operationId: 'streamThings',
    summary: 'Follow things',
    tag: 'Things',
    scope: 'things:read',
    query: z.strictObject(streamQuery),
    events: { thing: nameView },
    open: async () => (async function* () {})(),
  }),
];

interface Operation {
  operationId: string;
  description: string;
  parameters?: { name: string; in: string; description: string; required?: boolean; example?: unknown }[];
  requestBody?: { required?: boolean; content: Record<string, { schema: { $ref: string } }> };
  responses: Record<
    string,
    {
      description: string;
      headers?: Record<string, { description: string; schema: object }>;
      content?: Record<string, { schema: { $ref?: string }; examples?: object }>;
    }
  >;
}
interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: {
    schemas: Record<
      string,
      { properties?: Record<string, { description?: string }>; additionalProperties?: boolean }
    >;
    securitySchemes: object;
  };
}

let edge: Edge;
let document: Document;
beforeAll(async () => {
  edge = await openEdge({ routes });
  document = (await edge.call('GET', '/openapi.json')).json<Document>();
});
afterAll(() => edge.close());

describe('the OpenAPI document', () => {
  it('is 3.1 and lists the operations, without the plumbing', () => {
    expect(document.openapi).toBe('3.1.0');
    expect(Object.keys(document.paths)).toEqual(['/v1/things/{id}', '/v1/things', '/v1/things/stream']);
  });

  it('says scope, cost, key headers, parameters and body of an operation', () => {
    const operation = document.paths['/v1/things/{id}']?.['post'];
    expect(operation?.description).toBe(
      'It is made.\n\nNeeds the scope `things:write`.\n\nCounts as 3 requests against the rate limit.',
    );
    expect(operation?.parameters?.map(({ name, in: place }) => `${place} ${name}`).toSorted()).toEqual([
      'header idempotency-key',
      'path id',
    ]);
    expect(operation?.requestBody).toMatchObject({
      required: true,
      content: { 'application/json': { schema: { $ref: '#/components/schemas/NameBody' } } },
    });
    expect(document.components.securitySchemes).toHaveProperty('apiKey');
  });

  it('lists every problem by status and code', () => {
    const responses = document.paths['/v1/things/{id}']?.['post']?.responses ?? {};
    expect(Object.keys(responses).toSorted()).toEqual(
      ['201', '400', '401', '403', '406', '409', '413', '415', '422', '429', '500', '503'].toSorted(),
    );
    const refused = responses['422']?.content?.['application/problem+json'];
    expect(refused?.schema.$ref).toBe('#/components/schemas/Problem');
    expect(Object.keys(refused?.examples ?? {})).toEqual(['request.invalid', 'idempotency.key_reused']);
    expect(Object.keys(document.paths['/v1/things']?.['get']?.responses ?? {})).not.toContain('415');
  });

  it('describes answers with their headers and media types', () => {
    const made = document.paths['/v1/things/{id}']?.['post']?.responses['201'];
    expect(Object.keys(made?.headers ?? {})).toEqual(expect.arrayContaining(['location', 'ratelimit-limit']));
    const stream = document.paths['/v1/things/stream']?.['get']?.responses['200'];
    expect(Object.keys(stream?.content ?? {})).toEqual(['text/event-stream']);
  });

  it('gives every header a type, and no schema within its schema', () => {
    const headers = Object.values(document.paths)
      .flatMap((path) => Object.values(path))
      .flatMap(({ responses }) => Object.values(responses))
      .flatMap((response) => Object.entries(response.headers ?? {}));
    expect(headers.length).toBeGreaterThan(8);
    for (const [name, { schema }] of headers) {
      const type = name.startsWith('ratelimit-') ? 'integer' : 'string';
      expect([name, schema]).toEqual([name, { type }]);
    }
  });

  it('describes every parameter and field', () => {
    const fields = Object.values(document.components.schemas).flatMap(({ properties = {} }) =>
      Object.entries(properties),
    );
    expect(fields.length).toBeGreaterThan(8);
    expect(fields.filter(([, { description }]) => !description)).toEqual([]);
    const parameters = Object.values(document.paths).flatMap((path) =>
      Object.values(path).flatMap((operation) => operation.parameters ?? []),
    );
    expect(parameters.filter(({ description }) => !description)).toEqual([]);
  });

  it('lets answers grow: only bodies refuse unknown fields', () => {
    expect(document.components.schemas['NameBody']?.additionalProperties).toBe(false);
    expect(document.components.schemas['NameView']?.additionalProperties).toBeUndefined();
  });

  it('has no reference that leads nowhere', () => {
    const names = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(
      ([, name]) => name,
    );
    expect(names.filter((name) => !(String(name) in document.components.schemas))).toEqual([]);
  });
});

describe('the reference', () => {
  it('loads its own files only', async () => {
    const page = await edge.call('GET', '/docs');
    expect(page.headers.get('content-security-policy')).toContain("script-src 'self'");
    expect(page.headers.get('content-security-policy')).not.toMatch(/https?:/);
    const files = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file]) => file ?? '');
    expect(files.length).toBeGreaterThan(3);
    for (const file of files) {
      expect(file).toMatch(/^(\.|\/)/);
      const { status } = await edge.call('GET', new URL(file, `${edge.url}/docs/`).pathname);
      expect([file, status]).toEqual([file, 200]);
    }
    expect(page.text).not.toMatch(/<script>|<style>/);
  });
});
