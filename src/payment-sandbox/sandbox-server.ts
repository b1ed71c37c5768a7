import { timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { pageRoutes } from './pages.ts';
import { razorpayRoutes } from './razorpay/razorpay-api.ts';
import {
  type Answer,
  type Call,
  fieldsOf,
  ProviderRefusal,
  type SandboxContext,
  type SandboxRoute,
} from './sandbox-context.ts';
import { stripeRoutes } from './stripe/stripe-api.ts';
import { parseForm } from './stripe/stripe-form.ts';

const RAZORPAY = '/razorpay';
const LONGEST_BODY = 1 << 20;

/** Answers of POSTs to Stripe by their `Idempotency-Key`. */
type Replays = Map<string, { text: string; answer: Answer }>;

/** Stripe's API at `/v1`, Razorpay's at `/razorpay/v1`, and the pages that people see. */
export function createSandboxServer(context: SandboxContext): Server {
  const replays: Replays = new Map();
  return createServer((request, response) => {
    void answer(context, replays, request)
      .catch(
        (error: unknown): Answer =>
          error instanceof ProviderRefusal
            ? { status: error.status, body: error.body }
            : {
                status: 500,
                body: { error: { type: 'api_error', code: 'SERVER_ERROR', message: String(error) } },
              },
      )
      .then((reply) => write(request, response, reply));
  });
}

async function answer(context: SandboxContext, replays: Replays, request: IncomingMessage): Promise<Answer> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const text = await readBody(request);
  const call = {
    method: request.method ?? 'GET',
    path: url.pathname,
    query: url.searchParams,
    body: {},
    params: {},
  };
  if (url.pathname.startsWith(`${RAZORPAY}/`)) {
    checkRazorpay(context, request);
    const body = text === '' ? {} : fieldsOf(JSON.parse(text));
    return route(razorpayRoutes, context, { ...call, path: url.pathname.slice(RAZORPAY.length), body });
  }
  const body = parseForm(text);
  if (!url.pathname.startsWith('/v1/')) return route(pageRoutes, context, { ...call, body });
  checkStripe(context, request);
  const key = request.headers['idempotency-key'];
  if (call.method !== 'POST' || typeof key !== 'string')
    return route(stripeRoutes, context, { ...call, body });
  return once(replays, key, `${url.pathname}\n${text}`, () =>
    route(stripeRoutes, context, { ...call, body }),
  );
}

function once(replays: Replays, key: string, text: string, work: () => Answer): Answer {
  const before = replays.get(key);
  if (before === undefined) {
    const made = work();
    replays.set(key, { text, answer: made });
    return made;
  }
  if (before.text === text) return before.answer;
  const message = `Keys for idempotent requests can only be used with the same parameters they were first used with.`;
  throw new ProviderRefusal(400, { error: { type: 'idempotency_error', message } });
}

function route(routes: readonly SandboxRoute[], context: SandboxContext, call: Call): Answer {
  for (const candidate of routes) {
    const params = candidate.method === call.method ? match(candidate.path, call.path) : undefined;
    if (params) return candidate.handle(context, { ...call, params });
  }
  const message = `Unrecognized request URL (${call.method}: ${call.path}).`;
  throw new ProviderRefusal(404, {
    error: { type: 'invalid_request_error', code: 'BAD_REQUEST_ERROR', message, description: message },
  });
}

function match(path: string, pathname: string): Record<string, string> | undefined {
  const wanted = path.split('/');
  const given = pathname.split('/');
  if (wanted.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [at, part] of wanted.entries()) {
    const value = given[at] ?? '';
    if (part.startsWith(':') && value !== '') params[part.slice(1)] = decodeURIComponent(value);
    else if (part !== value) return undefined;
  }
  return params;
}

function checkStripe({ keys }: SandboxContext, { headers }: IncomingMessage): void {
  if (isSame(headers.authorization, `Bearer ${keys.stripeSecretKey}`)) return;
  throw new ProviderRefusal(401, {
    error: { type: 'invalid_request_error', message: 'Invalid API Key provided: sk_test_****' },
  });
}

function checkRazorpay({ keys }: SandboxContext, { headers }: IncomingMessage): void {
  const basic = Buffer.from(`${keys.razorpayKeyId}:${keys.razorpayKeySecret}`).toString('base64');
  if (isSame(headers.authorization, `Basic ${basic}`)) return;
  throw new ProviderRefusal(401, {
    error: { code: 'BAD_REQUEST_ERROR', description: 'Authentication failed' },
  });
}

function isSame(given: string | undefined, expected: string): boolean {
  const a = Buffer.from(given ?? '');
  const b = Buffer.from(expected);
  return a.length === b.length && timingSafeEqual(a, b);
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > LONGEST_BODY) throw new ProviderRefusal(413, { error: { message: 'too long' } });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function write(
  request: IncomingMessage,
  response: ServerResponse,
  { status, body, html, location }: Answer,
): void {
  if (location !== undefined) {
    response.writeHead(303, { location }).end();
    return;
  }
  const version = request.headers['stripe-version'];
  response
    .writeHead(status, {
      'content-type': html === undefined ? 'application/json' : 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      ...(typeof version === 'string' && { 'stripe-version': version }),
    })
    .end(html ?? JSON.stringify(body));
}
