import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { idempotencyErrors } from './http.errors.ts';
import { pathOf } from './problem.ts';

/** A request that the caller may repeat. */
export interface IdempotentRequest {
  key: string;
  /** SHA-256 of method, path and body: a repeat has the same one. */
  requestHash: Buffer;
  /** Without its query. */
  path: string;
}

/** The request's `Idempotency-Key` with its hash, if it has one. @throws idempotency.key_invalid */
export function readIdempotency(
  headers: IncomingHttpHeaders,
  request: { method: string; url: string; body: unknown },
): IdempotentRequest | undefined {
  const key = headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key !== 'string' || !/^[\x20-\x7e]{1,255}$/.test(key)) throw idempotencyErrors.keyInvalid();
  const hash = createHash('sha256').update(
    `${request.method} ${request.url}\n${canonicalJson(request.body)}`,
  );
  return { key, requestHash: hash.digest(), path: pathOf(request.url) };
}

/** JSON with the keys of every object in order, so that two spellings of one body are equal. */
export function canonicalJson(value: unknown): string {
  return (
    JSON.stringify(value, (_key, inner: unknown) =>
      typeof inner === 'object' && inner !== null && !Array.isArray(inner)
        ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
        : inner,
    ) ?? ''
  );
}
