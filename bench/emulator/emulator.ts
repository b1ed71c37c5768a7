import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startNode, stopProcess } from '../machine/processes.ts';

const ARRIVES_WITHIN_MS = 60_000;

/** Where the emulator is reached. */
export interface EmulatorAddress {
  wsUrl: string;
  controlUrl: string;
  controlToken: string;
  rootKey: string;
}

export interface BenchEmulator extends EmulatorAddress {
  /** Resolves with the time at which the text arrives at a phone, in microseconds of the shared clock. */
  arrival(text: string): Promise<number>;
  /** The phone writes to a number, so that a contact's ratchet turns. */
  write(realm: string, phone: string, to: string, body: string): Promise<void>;
  /** Linked devices that are connected now. */
  devicesOnline(): Promise<number>;
  close(): Promise<void>;
}

/** Starts the emulator in a process of its own. */
export async function startBenchEmulator(logFile: string): Promise<BenchEmulator> {
  const controlToken = randomBytes(16).toString('hex');
  const script = fileURLToPath(new URL('emulator-process.ts', import.meta.url));
  const env = { ...process.env, CONTROL_TOKEN: controlToken };
  const { child, ready } = await startNode(['--import', 'tsx', script], { env, logFile });
  const [wsUrl = '', controlUrl = '', rootKey = ''] = String(ready).split(' ');

  const awaited = new Map<string, (at: number) => void>();
  child.on('message', (message) => {
    if (typeof message !== 'string') return;
    const space = message.indexOf(' ');
    const text = message.slice(space + 1);
    awaited.get(text)?.(Number(message.slice(0, space)));
    awaited.delete(text);
  });

  async function ask(method: string, path: string, body?: unknown): Promise<Response> {
    const headers = { authorization: `Bearer ${controlToken}`, 'content-type': 'application/json' };
    const answer = await fetch(`${controlUrl}${path}`, {
      method,
      headers,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  }

  return {
    wsUrl,
    controlUrl,
    controlToken,
    rootKey,
    arrival: (text) =>
      new Promise((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`${text} did not arrive`)), ARRIVES_WITHIN_MS);
        awaited.set(text, (at) => {
          clearTimeout(late);
          resolve(at);
        });
      }),
    async write(realm, phone, to, body) {
      await ask('POST', `/v1/realms/${realm}/phones/${phone}/messages`, { to, text: { body } });
    },
    async devicesOnline() {
      const stats: { devices_online: number } = JSON.parse(await (await ask('GET', '/v1/stats')).text());
      return stats.devices_online;
    },
    close: () => stopProcess(child),
  };
}

/** Polls until `isTrue` holds. @throws Error after `withinMs` */
export async function until(isTrue: () => Promise<boolean>, what: string, withinMs = 120_000): Promise<void> {
  const end = Date.now() + withinMs;
  while (!(await isTrue())) {
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
    await sleep(20);
  }
}
