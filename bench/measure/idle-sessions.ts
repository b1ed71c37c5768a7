import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BenchEmulator, until } from '../emulator/emulator.ts';
import { settledMemory } from '../machine/memory.ts';
import { cpuOf } from '../machine/processes.ts';
import type { Options } from '../options.ts';
import type { Pingr } from '../pingr/pingr.ts';
import { type RawBaileys, startRaw } from '../raw/raw.ts';
import type { Row } from '../table.ts';

/** What a fresh process that opens stored sessions comes to. */
interface Opened {
  count: number;
  memoryMb: number;
  /** From the start of the work until all are open. */
  openMs: number;
  openCpuMs: number;
  /** While nothing happens, per session and minute. */
  idleCpuMs: number;
}

interface Parts {
  emulator: BenchEmulator;
  pingr: Pingr;
  options: Options;
  dir: string;
}

/** Memory, reopening and idle cost of many linked sessions in one process. */
export async function measureIdleSessions(parts: Parts): Promise<Row[]> {
  const { options, dir, pingr } = parts;
  await pairRaw(parts);
  const raw: { memory: Opened; file: Opened; pingr: Opened }[] = [];
  for (const count of options.sessions) {
    await pingr.pair(count);
    // What closed just now goes first, so that only the process under test is connected.
    await pingr.stopWorker();
    raw.push({
      memory: await openRaw(parts, count, 'memory'),
      file: await openRaw(parts, count, 'file'),
      pingr: await openPingr(parts, count),
    });
  }
  console.log(`  sessions kept in ${dir}`);
  return rowsOf(raw);
}

async function pairRaw({ emulator, options, dir }: Parts): Promise<void> {
  const raw = await startRaw(emulator, path.join(dir, 'raw.log'));
  await raw.command('pair', { count: options.sessions.at(-1) ?? 0 });
  await raw.command('close');
  await raw.command('save', { dir: path.join(dir, 'raw-sessions') });
  await raw.close();
}

async function openRaw({ emulator, dir, options }: Parts, count: number, place: string): Promise<Opened> {
  const raw: RawBaileys = await startRaw(emulator, path.join(dir, 'raw.log'));
  await raw.command('load', { dir: path.join(dir, 'raw-sessions'), count, place });
  const opened = await watch(raw.pid, count, options, () => raw.command('open'));
  await raw.close();
  await until(async () => (await emulator.devicesOnline()) === 0, 'closed sockets');
  return opened;
}

async function openPingr({ emulator, pingr, options }: Parts, count: number): Promise<Opened> {
  const started = Date.now();
  await pingr.startWorker();
  const open = () => until(async () => (await emulator.devicesOnline()) === count, `${count} sockets`);
  const opened = await watch(pingr.workerPid(), count, options, open);
  await pingr.connected();
  console.log(`  Pingr: ${count} sessions open ${Date.now() - started} ms after the worker was started (memory settled)`);
  return opened;
}

async function watch(pid: number, count: number, { idleMs }: Options, open: () => Promise<unknown>): Promise<Opened> {
  const cpuBefore = await cpuOf(pid);
  const started = performance.now();
  await open();
  const openMs = performance.now() - started;
  const openCpuMs = (await cpuOf(pid)) - cpuBefore;
  await sleep(2_000);
  const memoryMb = await settledMemory(pid);
  const idleBefore = await cpuOf(pid);
  await sleep(idleMs);
  const idleCpuMs = (((await cpuOf(pid)) - idleBefore) / count) * (60_000 / idleMs);
  return { count, memoryMb, openMs, openCpuMs, idleCpuMs };
}

function rowsOf(measured: readonly { memory: Opened; file: Opened; pingr: Opened }[]): Row[] {
  const rows = measured.map(({ file, pingr }): Row => ({
    what: `${pingr.count} idle sessions: memory of the process`,
    unit: 'MB',
    raw: file.memoryMb,
    pingr: pingr.memoryMb,
  }));
  const [few, many] = [measured[0], measured.at(-1)];
  if (few === undefined || many === undefined) return rows;
  const growth = (pick: (of: (typeof measured)[number]) => Opened) =>
    (pick(many).memoryMb - pick(few).memoryMb) / (many.pingr.count - few.pingr.count);
  const each = `${many.pingr.count} sessions`;
  const { file, pingr } = many;
  return [
    ...rows,
    { what: 'memory per idle session, keys elsewhere', unit: 'MB', raw: growth((m) => m.file), pingr: growth((m) => m.pingr) },
    { what: 'memory per idle session, raw with keys in memory', unit: 'MB', raw: growth((m) => m.memory), pingr: growth((m) => m.pingr) },
    { what: `reopen ${each}`, unit: 'ms', raw: file.openMs, pingr: pingr.openMs },
    { what: `reopen ${each}: CPU each`, unit: 'ms', raw: file.openCpuMs / file.count, pingr: pingr.openCpuMs / pingr.count },
    { what: `${each} idle: CPU each a minute`, unit: 'ms', raw: file.idleCpuMs, pingr: pingr.idleCpuMs },
  ];
}
