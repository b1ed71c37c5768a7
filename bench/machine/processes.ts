import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';

/** What `/proc` counts in: USER_HZ, 100 on every Linux that Node runs on. */
const MS_A_TICK = 10;

interface Stat {
  name: string;
  parent: number;
  /** CPU time of all threads, user and system. */
  cpuMs: number;
  /** The same of children that ended. */
  endedChildrenCpuMs: number;
}

async function statOf(pid: number): Promise<Stat> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The name, in brackets, may hold anything.
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [user = 0, system = 0, childrenUser = 0, childrenSystem = 0] = fields.slice(11, 15);
  return {
    name: text.slice(text.indexOf('(') + 1, text.lastIndexOf(')')),
    parent: fields[1] ?? 0,
    cpuMs: (user + system) * MS_A_TICK,
    endedChildrenCpuMs: (childrenUser + childrenSystem) * MS_A_TICK,
  };
}

/** CPU time that a process has used, in milliseconds with a resolution of 10. */
export async function cpuOf(pid: number): Promise<number> {
  return (await statOf(pid)).cpuMs;
}

/** CPU time of a process, of its children, and of those of them that ended, in milliseconds. */
export async function cpuOfFamily(pid: number): Promise<number> {
  const { cpuMs, endedChildrenCpuMs } = await statOf(pid);
  return (await childrenOf(pid)).reduce((sum, child) => sum + child.cpuMs, cpuMs + endedChildrenCpuMs);
}

/** CPU time of this process's children of that name, in milliseconds. */
export async function cpuOfChildren(name: string): Promise<number> {
  const children = (await childrenOf(process.pid)).filter((child) => child.name === name);
  return children.reduce((sum, child) => sum + child.cpuMs, 0);
}

async function childrenOf(pid: number): Promise<Stat[]> {
  const others = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const stats = await Promise.all(others.map((other) => statOf(other).catch(() => undefined)));
  return stats.flatMap((stat) => (stat?.parent === pid ? [stat] : []));
}

export async function parentOf(pid: number): Promise<number> {
  return (await statOf(pid)).parent;
}

/** Resident memory of a process, in megabytes. */
export async function memoryOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024;
}

export interface StartedProcess {
  child: ChildProcess;
  pid: number;
  /** The first thing it said: that it is ready. */
  ready: unknown;
}

/** Starts a Node process whose output goes to a file, and resolves once it sends its first message. */
export async function startNode(
  args: readonly string[],
  options: { env: Record<string, string | undefined>; logFile: string },
): Promise<StartedProcess> {
  const log = openSync(options.logFile, 'a');
  const child = spawn(process.execPath, [...args], {
    env: options.env,
    stdio: ['ignore', log, log, 'ipc'],
  });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`${args.join(' ')} ended with ${code}; see ${options.logFile}`);
  });
  const [ready] = await Promise.race([once(child, 'message'), ended]);
  ended.catch(() => undefined);
  if (child.pid === undefined) throw new Error('a process without a pid');
  return { child, pid: child.pid, ready };
}

/** Asks the process to end and waits until it has. */
export async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
}
