import { STATUS_CODES } from 'node:http';
import type { FastifySchema } from 'fastify';
import { z } from 'zod';
import type { ErrorDefinition, ErrorFactory } from '../../lib/errors.ts';
import { databaseErrors } from '../db/db.errors.ts';
import type { Answer } from './answer.ts';
import {
  authErrors,
  idempotencyErrors,
  rateLimitErrors,
  requestErrors,
  serviceErrors,
} from './http.errors.ts';
import { problemSchema, problemTypeOf } from './problem.ts';
import type { Route } from './route.ts';

/**
 * What the reference shows of an operation: its schemas, answers and every problem it may answer with.
 * @param refusals what any key may be refused for
 */
export function operationSchema(route: Route, refusals: readonly ErrorFactory[]): FastifySchema {
  const { operation, schemas } = route;
  const { params, query, body } = schemas;
  return {
    operationId: operation.operationId,
    summary: operation.summary,
    description: descriptionOf(route),
    tags: [operation.tag],
    security: SECURITY[operation.access ?? 'account'],
    ...(operation.scope !== undefined && { 'x-required-scope': operation.scope }),
    ...(operation.wholeAccount && { 'x-whole-account': true }),
    ...(params && { params }),
    ...(query && { querystring: query }),
    ...(body && { body }),
    ...(route.idempotency !== 'none' && { headers: idempotencyHeader }),
    response: { ...answersOf(route), ...problemsOf(route, refusals) },
  };
}

const SECURITY = { account: [{ apiKey: [] }, { bearer: [] }], user: [{ bearer: [] }], public: [] };

const idempotencyHeader = z.object({
  'idempotency-key': z.string().min(1).max(255).optional().meta({
    description:
      'Makes the request safe to repeat for 24 hours: a repeat gets the first answer, with `Idempotent-Replayed: true`. What was refused (4xx) is judged afresh.',
    example: '9f4c1f0e-4c9b-4f0e-9a5e-2f6f3c0f7a11',
  }),
});

function descriptionOf({ operation }: Route): string {
  const { description, scope, access, wholeAccount, cost = 1 } = operation;
  const open = access === 'public' ? 'Asks for no credential.' : 'Any valid key may call it.';
  const parts = [
    description,
    access === 'user' ? 'For people who are signed in; API keys are refused.' : undefined,
    scope !== undefined ? `Needs the scope \`${scope}\`.` : access === 'user' ? undefined : open,
    wholeAccount ? 'Concerns the whole account: test keys are refused.' : undefined,
    cost === 1 ? undefined : `Counts as ${cost} requests against the rate limit.`,
  ];
  return parts.filter((part) => part !== undefined).join('\n\n');
}

const rateHeaders = {
  'ratelimit-limit': { description: 'Requests per window.', type: 'integer' },
  'ratelimit-remaining': { description: 'Requests left in this window.', type: 'integer' },
  'ratelimit-reset': { description: 'Seconds until the window ends.', type: 'integer' },
  'x-request-id': { description: 'Id of the request.', type: 'string' },
};

function answersOf({ answers }: Route): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(answers).map(([status, answer]) => [
      status,
      {
        description: answer.description,
        headers: { ...rateHeaders, ...headersOf(answer) },
        ...contentOf(answer),
      },
    ]),
  );
}

function contentOf({ schema, media = {} }: Answer) {
  const types = { ...(schema && { 'application/json': schema }), ...media };
  const content = Object.entries(types).map(([type, described]) => [type, { schema: described }]);
  return content.length === 0 ? {} : { content: Object.fromEntries(content) };
}

function headersOf({ headers = {} }: Answer) {
  return Object.fromEntries(
    Object.entries(headers).map(([name, description]) => [name, { description, type: 'string' }]),
  );
}

/** One response a status, with an example of every code. */
function problemsOf(route: Route, refusals: readonly ErrorFactory[]): Record<string, unknown> {
  const byStatus = new Map<number, ErrorDefinition[]>();
  for (const definition of problemDefinitions(route, refusals)) {
    byStatus.set(definition.status, [...(byStatus.get(definition.status) ?? []), definition]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, definitions]) => [
      status,
      {
        description: [
          STATUS_CODES[status],
          ...definitions.map(({ code, title }) => `- \`${code}\`: ${title}`),
        ].join('\n'),
        content: {
          'application/problem+json': {
            schema: problemSchema,
            examples: Object.fromEntries(
              definitions.map((definition) => [definition.code, exampleOf(definition, route)]),
            ),
          },
        },
      },
    ]),
  );
}

/** Every error that an operation may answer with, each once. */
function problemDefinitions(
  { operation, idempotency }: Route,
  refusals: readonly ErrorFactory[],
): ErrorDefinition[] {
  const takesBody = operation.method !== 'GET' && operation.method !== 'DELETE';
  const own: readonly ErrorFactory[] = operation.problems ?? [];
  const forCaller = [
    authErrors.missing,
    authErrors.conflict,
    ...refusals,
    ...(operation.access === 'user' ? [authErrors.userNeeded] : []),
    ...(operation.scope === undefined ? [] : [authErrors.scopeMissing]),
    ...(operation.wholeAccount ? [authErrors.liveKeyNeeded] : []),
    authErrors.tooManyFailures,
  ];
  const common = [
    ...(operation.access === 'public' ? [] : forCaller),
    rateLimitErrors.exceeded,
    requestErrors.invalid,
    serviceErrors.unexpected,
    databaseErrors.unavailable,
    serviceErrors.timeout,
  ];
  const forBody = takesBody
    ? [requestErrors.malformedJson, requestErrors.bodyTooLarge, requestErrors.unsupportedMediaType]
    : [];
  const forKey =
    idempotency === 'none'
      ? []
      : [
          idempotencyErrors.keyInvalid,
          idempotencyErrors.keyReused,
          idempotencyErrors.inProgress,
          ...(idempotency === 'stored' ? [idempotencyErrors.outcomeUnknown] : []),
        ];
  const all = [...own, ...common, ...forBody, ...forKey].map(({ definition }) => definition);
  return [...new Map(all.map((definition) => [definition.code, definition])).values()];
}

function exampleOf(definition: ErrorDefinition, { operation }: Route) {
  const { code, status, title } = definition;
  return {
    summary: title,
    description: definition.remedy,
    value: {
      type: problemTypeOf(definition),
      title,
      status,
      code,
      instance: operation.path,
      request_id: 'req_01h455vb4pex5vsknk084sn02q',
    },
  };
}
