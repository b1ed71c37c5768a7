import { z } from 'zod';
import type { ErrorDefinition, PingrError } from '../../lib/errors.ts';

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/** Seconds after which a 503 may be tried again, where the error does not say. */
const UNAVAILABLE_RETRY_S = 2;

/** RFC 9457 problem details, with our members `code`, `request_id` and `errors`. */
export const problemSchema = z
  .object({
    type: z.string().meta({
      description: 'Address, relative to the API, that describes this kind of problem.',
      example: '/errors/request.invalid',
    }),
    title: z.string().meta({
      description: 'What went wrong, the same for every problem of this code.',
      example: 'The request has wrong or unknown fields',
    }),
    status: z.int().meta({ description: 'HTTP status.', example: 422 }),
    code: z.string().meta({
      description: 'Stable code; decide by it, not by the texts.',
      example: 'request.invalid',
    }),
    detail: z.string().optional().meta({
      description: 'What is particular about this occurrence.',
      example: '`to` is too short for its country',
    }),
    instance: z.string().meta({ description: 'Path of the request that failed.', example: '/v1/messages' }),
    request_id: z.string().meta({
      description: 'Id of the request, as in the `x-request-id` header; tell it to support.',
      example: 'req_01h455vb4pex5vsknk084sn02q',
    }),
    errors: z
      .array(
        z.object({
          pointer: z.string().meta({
            description:
              'JSON pointer into the body, `?name` for a query parameter, or `{name}` for one of the path.',
            example: '/to',
          }),
          detail: z
            .string()
            .meta({ description: 'What is wrong there.', example: 'is too short for its country' }),
        }),
      )
      .optional()
      .meta({ description: 'The fields that are wrong.' }),
  })
  .meta({ id: 'Problem', description: 'Why a request failed (RFC 9457).' });

export type Problem = z.infer<typeof problemSchema>;

/** Relative address of a code's description, which the API serves and `docs/errors.md` repeats. */
export function problemTypeOf(definition: ErrorDefinition): string {
  return `/errors/${definition.code}`;
}

/** The public body of an error. */
export function problemOf(error: PingrError, request: { path: string; id: string }): Problem {
  const { definition, detail, fields } = error;
  return {
    type: problemTypeOf(definition),
    title: definition.title,
    status: definition.status,
    code: definition.code,
    ...(detail === undefined ? {} : { detail }),
    instance: request.path,
    request_id: request.id,
    ...(fields.length === 0 ? {} : { errors: fields }),
  };
}

/** Headers that belong to an error: when to retry, and which credentials are asked for (RFC 9110 §10.2.3, §11.6.1). */
export function problemHeaders({ definition, retryAfter }: PingrError): Record<string, string> {
  const wait = retryAfter ?? (definition.status === 503 ? UNAVAILABLE_RETRY_S : undefined);
  return {
    'content-type': PROBLEM_TYPE,
    ...(wait === undefined ? {} : { 'retry-after': String(Math.max(1, Math.ceil(wait))) }),
    // What is left of the body is not read, so the connection cannot carry another request (RFC 9110 §15.5.14).
    ...(definition.status === 413 ? { connection: 'close' } : {}),
    ...(definition.status === 401 ? { 'www-authenticate': 'Bearer realm="pingr"' } : {}),
  };
}

/** An address without its query, which may hold what is not to be repeated. */
export function pathOf(url: string): string {
  return url.split('?', 1)[0] ?? '/';
}
