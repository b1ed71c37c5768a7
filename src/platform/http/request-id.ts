import type { IncomingMessage } from 'node:http';

const SANE = /^[\w.:-]{8,128}$/;

/** The caller's own `x-request-id` where it is one that logs and headers can carry, otherwise a new one. */
export function requestIdOf(request: Pick<IncomingMessage, 'headers'>, newRequestId: () => string): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && SANE.test(given) ? given : newRequestId();
}
