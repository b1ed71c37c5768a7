import { z } from 'zod';
import type { ErrorFactory, FieldProblem } from '../../lib/errors.ts';
import { fieldProblems } from './field-problems.ts';
import { requestErrors } from './http.errors.ts';
import { unstorableText } from './unstorable-text.ts';

interface InputSchemas<Params, Query, Body> {
  params?: z.ZodType<Params>;
  query?: z.ZodType<Query>;
  body?: z.ZodType<Body>;
  problems?: readonly ErrorFactory[];
}

/** For operations that take nothing: whatever is sent is unknown. Typed as any, so that it fits every `z.ZodType<T>`. */
const nothing = z.any().superRefine((value, context) => {
  const keys = typeof value === 'object' && value !== null ? Object.keys(value) : [];
  if (keys.length > 0) context.addIssue({ code: 'unrecognized_keys', keys, input: value });
});

/**
 * Validates a request's input and reports everything that is wrong with it at once.
 * @throws the operation's own "not found" where a path id is malformed; request.invalid for the rest
 */
export function readInput<Params, Query, Body>(
  schemas: InputSchemas<Params, Query, Body>,
  raw: { params: unknown; query: unknown; body: unknown },
): { params: Params; query: Query; body: Body } {
  const paramsSchema: z.ZodType<Params> = schemas.params ?? nothing;
  const querySchema: z.ZodType<Query> = schemas.query ?? nothing;
  const bodySchema: z.ZodType<Body> = schemas.body ?? nothing;

  const params = paramsSchema.safeParse(raw.params);
  if (!params.success) throw notFoundOf(schemas.problems)();
  const query = querySchema.safeParse(raw.query, { reportInput: true });
  const body = bodySchema.safeParse(raw.body, { reportInput: true });
  if (query.success && body.success) {
    const unstorable = [...unstorableText(raw.body, 'body'), ...unstorableText(raw.query, 'query')];
    if (unstorable.length > 0) throw invalid(unstorable);
    return { params: params.data, query: query.data, body: body.data };
  }

  throw invalid([
    ...(body.success ? [] : fieldProblems(body.error.issues, 'body')),
    ...(query.success ? [] : fieldProblems(query.error.issues, 'query')),
  ]);
}

function invalid(fields: FieldProblem[]): Error {
  const [first] = fields;
  const detail = first && `${first.pointer === '' ? 'The body' : first.pointer} ${first.detail}.`;
  return requestErrors.invalid({ fields, detail });
}

function notFoundOf(problems: readonly ErrorFactory[] = []): ErrorFactory {
  return problems.find(({ definition }) => definition.status === 404) ?? requestErrors.notFound;
}
