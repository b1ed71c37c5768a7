import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BenchEmulator, until } from '../emulator/emulator.ts';
import { settledMemory } from '../machine/memory.ts';
import { cpuOf } from '../machine/processes.ts';
import type { Options } from '../options.ts';
import type { Pingr } from '../pingr/pingr.ts';
import { type RawBaileys, startRaw } from '../raw/raw.ts';
import type { Row } from '../table.ts';

/** What a process that opens stored sessions comes to. */
interface Opened {
  count: number;
  memoryMb: number;
  /** From the start of the process until all are open. */
  openMs: number;
  /** CPU time that the process took until then. */
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
  const { options, pingr } = parts;
  await pairRaw(parts);
  const measured: { memory: Opened; file: Opened; pingr: Opened }[] = [];
  for (const count of options.sessions) {
    await pingr.pair(count);
    // What closed just now goes first, so that only the process under test is connected.
    await pingr.stopWorker();
    measured.push({
      memory: await openRaw(parts, count, 'memory'),
      file: await openRaw(parts, count, 'file'),
      pingr: await openPingr(parts, count),
    });
  }
  return rowsOf(measured);
}

async function pairRaw({ emulator, options, dir }: Parts): Promise<void> {
  const raw = await startRaw(emulator, path.join(dir, 'raw.log'));
  await raw.command('pair', { count: options.sessions.at(-1) ?? 0 });
  await raw.command('close');
  await raw.command('save', { dir: path.join(dir, 'raw-sessions') });
  await raw.close();
}

async function openRaw({ emulator, dir, options }: Parts, count: number, place: string): Promise<Opened> {
  let raw: RawBaileys | undefined;
  const opened = await watch(count, options, async () => {
    raw = await startRaw(emulator, path.join(dir, 'raw.log'));
    await raw.command('load', { dir: path.join(dir, 'raw-sessions'), count, place });
    await raw.command('open');
    return raw.pid;
  });
  await raw?.close();
  await until(async () => (await emulator.devicesOnline()) === 0, 'closed sockets');
  return opened;
}

function openPingr({ emulator, pingr, options }: Parts, count: number): Promise<Opened> {
  return watch(count, options, async () => {
    await pingr.startWorker();
    await until(async () => (await emulator.devicesOnline()) === count, `${count} sockets`);
    return pingr.workerPid();
  });
}

/** @param open starts a process and resolves with its pid once all sessions are open */
async function watch(count: number, { idleMs }: Options, open: () => Promise<number>): Promise<Opened> {
  const started = performance.now();
  const pid = await open();
  const openMs = performance.now() - started;
  const openCpuMs = await cpuOf(pid);
  await sleep(2_000);
  const memoryMb = await settledMemory(pid);
  const idleBefore = await cpuOf(pid);
  await sleep(idleMs);
  const idleCpuMs = (((await cpuOf(pid)) - idleBefore) / count) * (60_000 / idleMs);
  return { count, memoryMb, openMs, openCpuMs, idleCpuMs };
}

function rowsOf(measured: readonly { memory: Opened; file: Opened; pingr: Opened }[]): Row[] {
  const rows = measured.map(
    ({ file, pingr }): Row => ({
      what: `${pingr.count} idle sessions: memory of the process`,
      unit: 'MB',
      raw: file.memoryMb,
      pingr: pingr.memoryMb,
    }),
  );
  const [few, many] = [measured[0], measured.at(-1)];
  if (few === undefined || many === undefined) return rows;
  const more = many.pingr.count - few.pingr.count;
  const growth = (who: keyof typeof few, what: 'memoryMb' | 'openCpuMs') =>
    (many[who][what] - few[who][what]) / more;
  const each = `${many.pingr.count} sessions`;
  const { memory, pingr } = many;
  return [
    ...rows,
    {
      what: 'memory per idle session, keys elsewhere',
      unit: 'MB',
      raw: growth('file', 'memoryMb'),
      pingr: growth('pingr', 'memoryMb'),
    },
    {
      what: 'memory per idle session, raw with its keys in memory',
      unit: 'MB',
      raw: growth('memory', 'memoryMb'),
      pingr: growth('pingr', 'memoryMb'),
    },
    { what: `restart with ${each}: until all are open`, unit: 'ms', raw: memory.openMs, pingr: pingr.openMs },
    {
      what: 'reopen a session: CPU',
      unit: 'ms',
      raw: growth('memory', 'openCpuMs'),
      pingr: growth('pingr', 'openCpuMs'),
    },
    { what: `${each} idle: CPU each a minute`, unit: 'ms', raw: memory.idleCpuMs, pingr: pingr.idleCpuMs },
  ];
}
