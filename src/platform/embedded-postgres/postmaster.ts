import { spawn } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PostgresBinaries } from './binaries.ts';
import type { OsUser } from './os-user.ts';

/** A running server, as its `postmaster.pid` describes it. */
export interface Postmaster {
  pid: number;
  port: number;
  /** True once it accepts connections. */
  ready: boolean;
}

/**
 * Reads `postmaster.pid` (one fact a line: pid, directory, start time, port, socket directory, address, memory,
 * status; see Postgres' miscadmin.h).
 * @returns `undefined` where no server runs in the directory
 */
export async function readPostmaster(clusterDir: string): Promise<Postmaster | undefined> {
  const text = await readFile(path.join(clusterDir, 'postmaster.pid'), 'utf8').catch(() => undefined);
  const lines = text?.split('\n') ?? [];
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 0 || !isAlive(pid)) return undefined;
  return { pid, port: Number(lines[3]), ready: lines[7]?.trim() === 'ready' };
}

interface Launch {
  binaries: PostgresBinaries;
  clusterDir: string;
  socketDir: string;
  logFile: string;
  port: number;
  user: OsUser | undefined;
  durable: boolean;
}

/**
 * Starts the server in a process group of its own, so that Ctrl-C in the terminal reaches only our processes and the
 * database outlives those that still write to it.
 * @returns once the process is started; `exited` resolves with how it ended
 */
export async function launchPostmaster(launch: Launch): Promise<{ exited: Promise<string> }> {
  const log = await open(launch.logFile, 'a', 0o600);
  try {
    const child = spawn(launch.binaries.postgres, serverArguments(launch), {
      ...launch.user,
      cwd: '/',
      env: { LC_ALL: 'C' },
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    });
    const exited = new Promise<string>((resolve) => {
      child.on('error', (error) => resolve(error.message));
      child.on('exit', (code, signal) => resolve(signal ?? `code ${code}`));
    });
    child.unref();
    return { exited };
  } finally {
    await log.close();
  }
}

function serverArguments({ clusterDir, socketDir, port, durable }: Launch): string[] {
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: socketDir,
    max_connections: '200',
    timezone: 'UTC',
    jit: 'off',
    // Statements and row values may hold message text: the log says what went wrong, not with which data.
    log_error_verbosity: 'terse',
    log_min_error_statement: 'panic',
    log_checkpoints: 'off',
    ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return ['-D', clusterDir, '-p', String(port), ...flags];
}

/**
 * Waits until the server accepts connections.
 * @param exited what {@link launchPostmaster} returned
 * @returns `undefined` when it ended, or did not get ready in time
 */
export async function waitUntilReady(
  clusterDir: string,
  exited: Promise<string>,
  timeoutMs: number,
): Promise<Postmaster | undefined> {
  let ended = false;
  void exited.then(() => {
    ended = true;
  });
  for (let waited = 0; waited < timeoutMs && !ended; waited += 10) {
    const postmaster = await readPostmaster(clusterDir);
    if (postmaster?.ready) return postmaster;
    await sleep(10);
  }
  return undefined;
}

/** Ends the server: clients are cut off at once and data is written out; after `timeoutMs` it is ended hard. */
export async function stopPostmaster(clusterDir: string, timeoutMs: number): Promise<void> {
  const running = await readPostmaster(clusterDir);
  if (!running) return;
  signal(running.pid, 'SIGINT');
  if (await goneWithin(clusterDir, running.pid, timeoutMs)) return;
  signal(running.pid, 'SIGQUIT');
  await goneWithin(clusterDir, running.pid, 2_000);
}

/** Resolves when the server is gone, looking every `intervalMs`; for servers that are no child of this process. */
export async function waitUntilGone(clusterDir: string, pid: number, intervalMs: number): Promise<void> {
  while ((await readPostmaster(clusterDir))?.pid === pid) {
    await sleep(intervalMs, undefined, { ref: false });
  }
}

async function goneWithin(clusterDir: string, pid: number, timeoutMs: number): Promise<boolean> {
  for (let waited = 0; waited < timeoutMs; waited += 20) {
    if ((await readPostmaster(clusterDir))?.pid !== pid) return true;
    await sleep(20);
  }
  return false;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, and belongs to somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function signal(pid: number, name: 'SIGINT' | 'SIGQUIT'): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended by itself in between.
  }
}
