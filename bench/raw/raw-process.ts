import { mkdirSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { WA_CERT_DETAILS } from '@whiskeysockets/baileys';
import { RawSession } from './raw-session.ts';

// Raw Baileys behind the smallest HTTP server there is: sessions of one process, driven by the benchmark.
const env = (name: string) => process.env[name] ?? '';
const url = env('WS_URL');
WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(env('ROOT_KEY'), 'hex');
// libsignal prints whole sessions: whoever runs Baileys turns that off.
for (const method of ['log', 'info', 'warn', 'error'] as const) console[method] = () => {};

let sessions: RawSession[] = [];

interface Request {
  to: string;
  text: string;
  count: number;
  contacts: string[];
  window: number;
  dir: string;
  place: 'memory' | 'file';
}

const COMMANDS: Record<string, (request: Request) => Promise<unknown>> = {
  '/send': ({ to, text }) => first().send(to, text),

  /** Sends so many messages, `window` at a time, each waiting for its ack. */
  async '/run'({ count, contacts, text, window }) {
    let next = 0;
    const lane = async () => {
      while (next < count) {
        const n = next++;
        await first().send(contacts[n % contacts.length] ?? '', `${text} ${n}`);
      }
    };
    await Promise.all(Array.from({ length: window }, lane));
  },

  async '/pair'({ count }) {
    while (sessions.length < count) {
      const session = RawSession.fresh(url);
      await session.link(scan);
      sessions.push(session);
    }
    return { phone: first().phone };
  },

  async '/save'({ dir }) {
    mkdirSync(dir, { recursive: true });
    for (const [n, session] of sessions.entries()) session.save(`${dir}/${n}.json`);
  },

  async '/load'({ dir, count, place }) {
    sessions = Array.from({ length: count }, (_, n) => RawSession.load(url, `${dir}/${n}.json`, place));
  },

  async '/open'() {
    await Promise.all(sessions.map((session) => session.open()));
  },

  async '/close'() {
    await Promise.all(sessions.map((session) => session.close()));
  },
};

function first(): RawSession {
  const [session] = sessions;
  if (session === undefined) throw new Error('no session');
  return session;
}

async function scan(qr: string): Promise<void> {
  const { phone }: { phone: string } = JSON.parse(await control('/phones', {}));
  await control(`/phones/${encodeURIComponent(phone)}/scan`, { qr });
}

async function control(path: string, body: unknown): Promise<string> {
  const answer = await fetch(`${env('CONTROL_URL')}/v1/realms/${env('REALM')}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${env('CONTROL_TOKEN')}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
  return text;
}

async function bodyOf(request: IncomingMessage): Promise<Request> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  const parsed: Request = JSON.parse(text);
  return parsed;
}

const server = createServer((request, response) => {
  void bodyOf(request)
    .then((body) => COMMANDS[request.url ?? '']?.(body))
    .then(
      (answer) => response.writeHead(200).end(JSON.stringify(answer ?? {})),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
});
server.requestTimeout = 0;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.send?.(`http://127.0.0.1:${address.port}`);
});
process.once('disconnect', () => process.exit());
