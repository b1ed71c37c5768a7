import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchEmulator } from '../emulator/emulator.ts';
import { postJson } from '../load/http.ts';
import { median, quantile } from '../load/statistics.ts';
import { freshTag } from '../load/traffic.ts';
import { cpuOf, stopProcess } from '../machine/processes.ts';
import { sharedMicros } from '../machine/time.ts';
import { CONTACTS } from '../measure/subjects.ts';
import type { Options } from '../options.ts';
import type { Pingr } from '../pingr/pingr.ts';
import type { Row } from '../table.ts';
import { type BenchReceiver, startBenchProcess, startReceiver } from './receiver.ts';

interface Parts {
  emulator: BenchEmulator;
  pingr: Pingr;
  options: Options;
  dir: string;
}

/** As the engine's limit of requests to one endpoint at once. */
const CONCURRENCY = 20;

/** Webhooks: how soon a message that comes in is at the customer's server, and what a delivery costs. */
export async function measureWebhooks(parts: Parts): Promise<Row[]> {
  const receiver = await startReceiver(path.join(parts.dir, 'receiver.log'));
  try {
    await addEndpoint(parts.pingr, receiver.url('first'));
    const rows = [
      ...latencyRows('one endpoint', await latencies(parts, receiver)),
      ...(await throughput(parts, receiver)),
    ];
    await addEndpoint(parts.pingr, receiver.url('hang'));
    rows.push(...latencyRows('beside a receiver that hangs', await latencies(parts, receiver)));
    for (let n = 0; n < 48; n++) await addEndpoint(parts.pingr, receiver.url(`other/${n}`));
    rows.push(...latencyRows('with 50 endpoints, one of which hangs', await latencies(parts, receiver)));
    return rows;
  } finally {
    await receiver.close();
  }
}

async function addEndpoint({ api, headers }: Pingr, url: string): Promise<void> {
  await postJson(`${api}/webhook-endpoints`, { url, events: ['message.received'] }, headers);
}

/** Milliseconds from a phone's writing to the webhook of it at the first endpoint, one message at a time. */
async function latencies({ emulator, pingr, options }: Parts, receiver: BenchReceiver): Promise<number[]> {
  const waiting = new Map<string, (at: number) => void>();
  receiver.watch(({ at, path: where, text }) => {
    if (where === '/first' && text !== undefined) waiting.get(text)?.(at);
  });
  const number = await pingr.phone();
  const found: number[] = [];
  const tag = freshTag();
  for (let n = 0; n < options.messages.single; n++) {
    const text = `${tag} in ${n}`;
    const arrived = new Promise<number>((resolve) => waiting.set(text, resolve));
    const started = sharedMicros();
    await emulator.write(pingr.realm, CONTACTS[n % CONTACTS.length] ?? '', number, text);
    found.push(((await arrived) - started) / 1000);
    await sleep(5);
  }
  // Those that came first found nothing warm.
  return found.slice(Math.floor(found.length / 5));
}

function latencyRows(when: string, found: readonly number[]): Row[] {
  return [
    { what: `inbound to webhook, ${when}: p50`, unit: 'ms', pingr: quantile(found, 0.5) },
    { what: `inbound to webhook, ${when}: p99`, unit: 'ms', pingr: quantile(found, 0.99) },
  ];
}

/** All deliveries so far are replayed at once, beside as many requests of a bare loop. */
async function throughput(parts: Parts, receiver: BenchReceiver): Promise<Row[]> {
  const { pingr, options, dir } = parts;
  const bare = await startBenchProcess('undici-process.ts', path.join(dir, 'undici.log'));
  const rounds: { raw: [number, number]; pingr: [number, number] }[] = [];
  const body = JSON.stringify({ id: 'x', data: {}, filling: 'x'.repeat(900) });
  for (let n = 0; n <= options.rounds; n++) {
    const sent = await replayAll(pingr, receiver);
    const before = await cpuOf(bare.pid);
    const started = Date.now();
    const done = once(bare.child, 'message');
    const count = Math.max(sent.count, 2_000);
    bare.child.send({ url: receiver.url('bare'), count, concurrency: CONCURRENCY, body });
    await done;
    const seconds = (Date.now() - started) / 1000;
    const raw: [number, number] = [count / seconds, ((await cpuOf(bare.pid)) - before) / count];
    // The first round warms both up.
    if (n > 0) rounds.push({ raw, pingr: [sent.perSecond, sent.cpu] });
  }
  await stopProcess(bare.child);
  const of = (index: 0 | 1) => ({
    raw: median(rounds.map(({ raw }) => raw[index])),
    pingr: median(rounds.map(({ pingr: ours }) => ours[index])),
  });
  return [
    { what: 'webhooks in a burst to one endpoint (raw: undici loop)', unit: '/s', ...of(0) },
    { what: 'webhooks: CPU a delivery, worker', unit: 'ms', ...of(1) },
  ];
}

async function replayAll(pingr: Pingr, receiver: BenchReceiver) {
  const { data }: { data: { id: string }[] } = JSON.parse(await pingr.get('/webhook-endpoints'));
  const [first] = data.slice(-1);
  let count = 0;
  let last = 0;
  receiver.watch(({ at }) => {
    count++;
    last = at;
  });
  const before = await pingr.workerCpu();
  const started = sharedMicros();
  const url = `${pingr.api}/webhook-endpoints/${first?.id}/replay`;
  const { replayed }: { replayed: number } = JSON.parse(
    await postJson(url, { status: 'all' }, pingr.headers),
  );
  while (count < replayed) await sleep(10);
  await sleep(300);
  const cpu = ((await pingr.workerCpu()) - before) / replayed;
  return { count: replayed, perSecond: replayed / ((last - started) / 1_000_000), cpu };
}
