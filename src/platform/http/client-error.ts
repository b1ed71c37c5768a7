import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { PingrError } from '../../lib/errors.ts';
import { requestErrors } from './http.errors.ts';
import { problemHeaders, problemOf } from './problem.ts';

/** Node's codes for what arrived before there was a request to route. */
const NODE_ERRORS: Record<string, () => PingrError> = {
  HPE_HEADER_OVERFLOW: requestErrors.headersTooLarge,
  ERR_HTTP_REQUEST_TIMEOUT: requestErrors.timedOut,
};

/** Answers, straight on the socket, what is not HTTP, has too large headers, or never finished arriving. */
export function answerClientError(error: Error & { code?: string }, socket: Duplex, requestId: string): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const problem = (NODE_ERRORS[error.code ?? ''] ?? requestErrors.malformed)();
  const { status } = problem.definition;
  const body = JSON.stringify(problemOf(problem, { path: '/', id: requestId }));
  const headers = {
    ...problemHeaders(problem),
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  };
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head.join('')}\r\n${body}`);
}
