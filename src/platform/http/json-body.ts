import type { FastifyInstance } from 'fastify';
import { requestErrors } from './http.errors.ts';
import { jsonErrorOffset } from './json-error-offset.ts';

/** Takes JSON bodies and nothing else. An empty one counts as none, as clients send for a POST without a body. */
export function acceptJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, text, done) => {
    try {
      done(null, parseJson(text.toString()));
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
    }
  });
}

/** @throws request.malformed_json with the line and column where reading stopped. The text itself is not repeated. */
export function parseJson(text: string): unknown {
  if (text.trim() === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    const offset = jsonErrorOffset(text);
    const before = text.slice(0, offset).split('\n');
    const place = `line ${before.length}, column ${(before.at(-1) ?? '').length + 1}`;
    const what = offset >= text.length ? 'The body ends too early' : 'The body stops being JSON';
    throw requestErrors.malformedJson({ detail: `${what} at ${place}.` });
  }
}
