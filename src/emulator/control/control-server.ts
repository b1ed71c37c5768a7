import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { z } from 'zod';
import { PingrError } from '../../lib/errors.ts';
import { emulatorErrors } from '../server/emulator.errors.ts';
import { listen } from '../server/websocket-server.ts';
import type { ControlContext, ControlReply, ControlRoute } from './control-context.ts';
import { faultRoutes } from './fault-routes.ts';
import { messageRoutes } from './message-routes.ts';
import { phoneRoutes } from './phone-routes.ts';
import { serverRoutes } from './server-routes.ts';

const ROUTES = [...serverRoutes, ...phoneRoutes, ...messageRoutes, ...faultRoutes];
/** Paths that need no token. */
const PUBLIC = new Set(['/healthz']);
const LONGEST_BODY = 1 << 20;

/** Starts the HTTP API that drives the virtual phones. */
export async function startControl(
  context: ControlContext,
  host: string,
  port: number,
  token: string,
): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    void answer(context, token, request)
      .catch((error: unknown) => problem(context, error))
      .then((reply) => write(response, reply));
  });
  // Longer than clients keep one: a request on a connection that is just being closed is lost.
  server.keepAliveTimeout = 72_000;
  const taken = await listen(server, host, port);
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { port: taken, close };
}

async function answer(
  context: ControlContext,
  token: string,
  request: IncomingMessage,
): Promise<ControlReply> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  if (!PUBLIC.has(url.pathname) && !isAuthorized(request, token)) throw emulatorErrors.unauthorized();
  for (const route of ROUTES) {
    const params = route.method === request.method ? match(route, url.pathname) : undefined;
    if (!params) continue;
    return route.handle(context, { params, query: url.searchParams, body: await readBody(request) });
  }
  throw emulatorErrors.notFound({ detail: `no ${request.method} ${url.pathname}` });
}

function isAuthorized(request: IncomingMessage, token: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(request.headers.authorization ?? ''), digest(`Bearer ${token}`));
}

function match({ path }: ControlRoute, pathname: string): Record<string, string> | undefined {
  const wanted = path.split('/');
  const given = pathname.split('/');
  if (wanted.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [at, part] of wanted.entries()) {
    const value = given[at] ?? '';
    if (part.startsWith(':') && value !== '') params[part.slice(1)] = decode(value);
    else if (part !== value) return undefined;
  }
  return params;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw emulatorErrors.badRequest({ detail: 'the path is not percent-encoded correctly' });
  }
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > LONGEST_BODY) throw emulatorErrors.badRequest({ detail: 'the body is too long' });
    chunks.push(chunk);
  }
  if (length === 0) return {};
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw emulatorErrors.badRequest({ detail: 'the body is not JSON' });
  }
}

function problem({ emulation }: ControlContext, error: unknown): ControlReply {
  if (error instanceof z.ZodError) {
    const [issue] = error.issues;
    const pointer = `/${issue?.path.join('/') ?? ''}`;
    const { code, status } = emulatorErrors.invalid.definition;
    return { status, body: { code, detail: issue?.message ?? 'is invalid', pointer } };
  }
  if (error instanceof PingrError) {
    const [field] = error.fields;
    const detail = field?.detail ?? error.message;
    const body = { code: error.code, detail, ...(field && { pointer: field.pointer }) };
    return { status: error.definition.status, body };
  }
  emulation.log.error({ err: error }, 'control call failed');
  return { status: 500, body: { code: 'emulator.failed', detail: 'The emulator failed; see its log.' } };
}

function write(response: ServerResponse, { status, body }: ControlReply): void {
  if (body === undefined) response.writeHead(status).end();
  else response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
