import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Webhook } from 'standardwebhooks';

/** A webhook as it arrived. */
export interface ReceivedWebhook {
  /** Milliseconds since the epoch. */
  at: number;
  path: string;
  headers: IncomingHttpHeaders;
  /** `webhook-id`. */
  id: string;
  /** The bytes, as text. */
  body: string;
  payload: {
    id: string;
    type: string;
    created_at: string;
    mode: string;
    account_id: string;
    session_id: string | null;
    data: Record<string, unknown>;
  };
}

/**
 * What the receiver does with a webhook: a status, more than that, no answer at all, or a connection that breaks. An answer
 * that is `endless` stops after its body, and keeps the connection.
 */
export type Answer =
  | number
  | { status: number; headers?: Record<string, string>; body?: string; afterMs?: number; endless?: boolean }
  | 'hang'
  | 'drop';

export interface WebhookReceiver {
  url: string;
  /** All that arrived, in order. */
  received: ReceivedWebhook[];
  /** Connections that were opened. */
  connections: () => number;
  /** Requests that have no answer yet, now and at most. */
  waiting: { now: number; most: number };
  /** How webhooks are answered from now on; at first with 200. */
  answer: (choose: Answer | ((webhook: ReceivedWebhook) => Answer)) => void;
  close: () => Promise<void>;
}

/** A customer's server, on a free port of 127.0.0.1, that does as it is told. */
export async function openWebhookReceiver(): Promise<WebhookReceiver> {
  const received: ReceivedWebhook[] = [];
  const waiting = { now: 0, most: 0 };
  let choose: (webhook: ReceivedWebhook) => Answer = () => 200;
  let connections = 0;

  const server = createServer((request, response) => {
    waiting.most = Math.max(waiting.most, ++waiting.now);
    response.on('close', () => waiting.now--);
    void readWebhook(request).then((webhook) => {
      received.push(webhook);
      return give(choose(webhook), response);
    });
  });
  server.on('connection', () => connections++);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');

  return {
    url: `http://127.0.0.1:${address.port}/hook`,
    received,
    connections: () => connections,
    waiting,
    answer: (how) => {
      choose = typeof how === 'function' ? how : () => how;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Checks a webhook as a customer does, with the package of Standard Webhooks. @throws where it is not genuine */
export function verifyWebhook({ body, headers }: ReceivedWebhook, secret: string): void {
  const text = (name: string) => String(headers[name]);
  new Webhook(secret).verify(body, {
    'webhook-id': text('webhook-id'),
    'webhook-timestamp': text('webhook-timestamp'),
    'webhook-signature': text('webhook-signature'),
  });
}

async function readWebhook(request: IncomingMessage): Promise<ReceivedWebhook> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks).toString('utf8');
  const { headers, url: path = '' } = request;
  const payload: ReceivedWebhook['payload'] = JSON.parse(body);
  return { at: Date.now(), path, headers, id: String(headers['webhook-id']), body, payload };
}

async function give(answer: Answer, response: ServerResponse): Promise<void> {
  if (answer === 'hang') return;
  if (answer === 'drop') {
    response.destroy();
    return;
  }
  const {
    status,
    headers = {},
    body = '',
    afterMs = 0,
    endless = false,
  } = typeof answer === 'number' ? { status: answer } : answer;
  if (afterMs > 0) await sleep(afterMs);
  response.writeHead(status, headers);
  if (endless) response.write(body);
  else response.end(body);
}
