import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir, totalmem } from 'node:os';
import path from 'node:path';
import { startBenchEmulator } from './emulator/emulator.ts';
import { ROOT } from './machine/memory.ts';
import { measureFirstContact } from './measure/first-contact.ts';
import { measureIdleSessions } from './measure/idle-sessions.ts';
import { measureMessages } from './measure/messages.ts';
import { meetContacts } from './measure/subjects.ts';
import { type Options, readOptions } from './options.ts';
import { startPingr } from './pingr/pingr.ts';
import { startRaw } from './raw/raw.ts';
import { type Row, tableOf } from './table.ts';
import { measureWebhooks } from './webhooks/measure-webhooks.ts';

// Raw Baileys and Pingr against one emulator, in one go on one machine. docs/performance.md says what each row means.

const closers: (() => Promise<unknown>)[] = [];

async function main(options: Options): Promise<Row[]> {
  execFileSync(process.execPath, [path.join(ROOT, 'scripts/build-if-stale.mjs')], { stdio: 'inherit' });
  const dir = await mkdtemp(path.join(tmpdir(), 'pingr-bench-'));
  closers.push(() => rm(dir, { recursive: true, force: true }));
  const emulator = await step('emulator', () => startBenchEmulator(path.join(dir, 'emulator.log')));
  closers.push(emulator.close);
  const pingr = await step('Pingr', () => startPingr(dir, emulator, options));
  closers.push(pingr.close);
  await step('link', () => pingr.pair(1));

  const raw = await step('raw Baileys', () => startRaw(emulator, path.join(dir, 'raw.log')));
  closers.push(raw.close);
  const subjects = { emulator, pingr, raw, options };
  await step('contacts', () => meetContacts(subjects));
  if (options.only === 'webhooks') return step('webhooks', () => measureWebhooks({ ...subjects, dir }));
  const messages = await step('messages', () => measureMessages(subjects));
  if (options.only === 'messages') return messages;
  const rows = [
    ...messages,
    ...(await step('first contact', () => measureFirstContact(subjects))),
    ...(await step('webhooks', () => measureWebhooks({ ...subjects, dir }))),
  ];
  await raw.close();
  if (options.sessions.length === 0) return rows;
  return [
    ...rows,
    ...(await step('idle sessions', () => measureIdleSessions({ emulator, pingr, options, dir }))),
  ];
}

async function step<T>(name: string, work: () => Promise<T>): Promise<T> {
  const started = Date.now();
  const done = await work();
  console.log(`${name}: ${((Date.now() - started) / 1000).toFixed(1)} s`);
  return done;
}

async function close(): Promise<void> {
  for (const closer of closers.splice(0).reverse()) await closer();
}

process.once('SIGINT', () => void close().then(() => process.exit(130)));
const options = readOptions(process.argv.slice(2));
try {
  const rows = await main(options);
  const [cpu] = cpus();
  const machine = `${cpus().length} × ${cpu?.model}, ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.version}`;
  console.log(
    `\n${new Date().toISOString()} · ${machine} · queue on ${options.queue} · ${options.rounds} rounds\n`,
  );
  console.log(tableOf(rows));
} finally {
  await close();
}
