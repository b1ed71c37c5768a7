import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import path from 'node:path';
import { emptyRazorpay } from './razorpay/razorpay-entities.ts';
import type { SandboxContext, SandboxKeys, SandboxLog, SandboxState } from './sandbox-context.ts';
import { createSandboxServer } from './sandbox-server.ts';
import { emptyStripe } from './stripe/stripe-entities.ts';
import { type Chaos, WebhookSender } from './webhook-sender.ts';

export interface PaymentSandboxOptions {
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** Base address of the program that gets the webhooks; may be set later. */
  webhookTarget?: string | undefined;
  /** Where subscriptions are kept between runs; without it they are gone with the process. */
  stateDir?: string | undefined;
  /** Made where not given. */
  keys?: SandboxKeys | undefined;
  chaos?: Chaos | undefined;
  log?: SandboxLog;
  now?: () => Date;
}

export interface RunningPaymentSandbox {
  url: string;
  /** Base address of Razorpay's API in it; Stripe's is `url` itself. */
  razorpayUrl: string;
  keys: SandboxKeys;
  sendWebhooksTo(target: string): void;
  /** Resolves when every webhook was taken or given up. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

const SILENT: SandboxLog = { info() {}, warn() {} };
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** Starts the stand-ins for Stripe and Razorpay: their APIs, pages to pay on, and their signed webhooks. */
export async function startPaymentSandbox(options: PaymentSandboxOptions): Promise<RunningPaymentSandbox> {
  const { host, log = SILENT, now: clock = () => new Date() } = options;
  const kept = keeper(options.stateDir);
  const keys = options.keys ?? (await kept.keys()) ?? newSandboxKeys();
  const state = (await kept.load()) ?? { stripe: emptyStripe(), razorpay: emptyRazorpay() };
  const now = () => Math.floor(clock().getTime() / 1_000);
  const webhooks = new WebhookSender({ target: options.webhookTarget, keys, now, log, chaos: options.chaos });
  const context: SandboxContext = {
    state,
    keys,
    webhooks,
    now,
    url: '',
    newId: (prefix) => prefix + [...randomBytes(14)].map((byte) => LETTERS[byte % LETTERS.length]).join(''),
    changed: () => kept.save(state, keys),
  };
  const server = createSandboxServer(context);
  const port = await listen(server, host, options.port);
  context.url = `http://${host === '0.0.0.0' ? '127.0.0.1' : host}:${port}`;
  kept.save(state, keys);
  log.info({ url: context.url }, 'payment sandbox is up');
  return {
    url: context.url,
    razorpayUrl: `${context.url}/razorpay`,
    keys,
    sendWebhooksTo(target) {
      webhooks.target = target;
    },
    idle: () => webhooks.idle(),
    async close() {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      await webhooks.close();
      await kept.flush();
    },
  };
}

/** Keys such as the providers give for tests. */
export function newSandboxKeys(): SandboxKeys {
  const secret = () => randomBytes(16).toString('hex');
  return {
    stripeSecretKey: `sk_test_${secret()}`,
    stripeWebhookSecret: `whsec_${secret()}`,
    razorpayKeyId: `rzp_test_${secret().slice(0, 14)}`,
    razorpayKeySecret: secret(),
    razorpayWebhookSecret: secret(),
  };
}

interface Kept extends SandboxState {
  keys: SandboxKeys;
}

/** One file, written whole and in turn; only this program writes it. */
function keeper(dir: string | undefined) {
  const file = dir === undefined ? undefined : path.join(dir, 'payments.json');
  let writing = Promise.resolve();
  let next: string | undefined;

  async function read(): Promise<Kept | undefined> {
    const text = file === undefined ? undefined : await readFile(file, 'utf8').catch(() => undefined);
    return text === undefined ? undefined : JSON.parse(text);
  }
  async function write(): Promise<void> {
    const text = next;
    next = undefined;
    if (file === undefined || text === undefined) return;
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(`${file}.new`, text, { mode: 0o600 });
    await rename(`${file}.new`, file);
  }
  return {
    keys: async () => (await read())?.keys,
    async load(): Promise<SandboxState | undefined> {
      const kept = await read();
      // A file of an earlier version knows less.
      return (
        kept && {
          stripe: { ...emptyStripe(), ...kept.stripe },
          razorpay: { ...emptyRazorpay(), ...kept.razorpay },
        }
      );
    },
    save(state: SandboxState, keys: SandboxKeys) {
      if (file === undefined) return;
      next = JSON.stringify({ ...state, keys });
      writing = writing.then(write, write);
    },
    flush: () => writing,
  };
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}
