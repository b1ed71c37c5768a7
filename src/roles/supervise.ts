import { type ChildProcess, fork } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../platform/log/log.ts';
import { parseReady } from './supervise-protocol.ts';

export interface ChildOptions {
  /** For logs: `worker test`. */
  name: string;
  /** Program and its arguments: this very program in another role. */
  script: string;
  args: string[];
  env: Record<string, string | undefined>;
  log: Log;
  /** How often the first start is tried. */
  startAttempts?: number;
  /** Longest wait for one start, in milliseconds. */
  startTimeoutMs?: number;
}

/** A process that is started again, after growing pauses, until it is stopped. */
export interface SupervisedChild {
  /** Settings that it announced for others. */
  readonly env: Record<string, string>;
  /** Pid of the process that runs now. */
  readonly pid: number | undefined;
  /** SIGTERM, and after `timeoutMs` SIGKILL. Resolves when the process is gone. */
  stop(timeoutMs: number): Promise<void>;
}

const SHORTEST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;
/** A process that lived this long was fine: its next restart is a first one. */
const HEALTHY_MS = 30_000;

/**
 * Starts a process and keeps it running.
 * @returns once it announced that it is ready
 * @throws Error when the first start fails `startAttempts` times
 */
export async function supervise(options: ChildOptions): Promise<SupervisedChild> {
  const { name, log, startAttempts = 3 } = options;
  const stopping = new AbortController();
  let current: Running | undefined;

  const start = async (): Promise<Running> => {
    current = spawn(options);
    await current.ready;
    return current;
  };
  const restartWhenGone = async (): Promise<void> => {
    for (let failures = 0; !stopping.signal.aborted; ) {
      const startedAt = performance.now();
      const how = await current?.exited;
      if (stopping.signal.aborted) return;
      failures = performance.now() - startedAt > HEALTHY_MS ? 1 : failures + 1;
      const pause = Math.min(SHORTEST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS);
      log.error({ child: name, how, pause }, 'process ended, starting it again');
      await sleep(pause, undefined, { signal: stopping.signal }).catch(() => {});
      if (!stopping.signal.aborted)
        await start().catch((err: unknown) => log.error({ child: name, err }, 'restart failed'));
    }
  };

  const first = await startFirst(start, startAttempts, options);
  void restartWhenGone();
  return {
    env: (await first.ready).env,
    get pid() {
      return current?.process.pid;
    },
    async stop(timeoutMs) {
      stopping.abort();
      if (current) await end(current, timeoutMs);
    },
  };
}

async function startFirst(
  start: () => Promise<Running>,
  attempts: number,
  { name, log }: ChildOptions,
): Promise<Running> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start();
    } catch (err) {
      if (attempt >= attempts) throw err;
      log.warn({ child: name, err }, 'start failed, trying again');
      await sleep(SHORTEST_PAUSE_MS * 2 ** attempt);
    }
  }
}

interface Running {
  process: ChildProcess;
  ready: Promise<{ env: Record<string, string> }>;
  /** Resolves with how it ended. */
  exited: Promise<string>;
}

function spawn({ name, script, args, env, startTimeoutMs = 30_000 }: ChildOptions): Running {
  const child = fork(script, args, {
    env,
    execArgv: process.execArgv,
    // A group of its own: Ctrl-C in the terminal reaches the supervisor alone, which stops all in order.
    detached: true,
  });
  const exited = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `code ${code}`));
  });
  const ready = new Promise<{ env: Record<string, string> }>((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`${name} was not ready after ${startTimeoutMs / 1_000} s`));
      child.kill('SIGKILL');
    }, startTimeoutMs);
    child.on('message', (message) => {
      const parsed = parseReady(message);
      if (!parsed) return;
      clearTimeout(timer);
      resolve(parsed);
    });
    void exited.then((how) => {
      clearTimeout(timer);
      reject(new Error(`${name} ended before it was ready (${how})`));
    });
  });
  return { process: child, ready, exited };
}

async function end({ process: child, exited }: Running, timeoutMs: number): Promise<void> {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  await exited;
  clearTimeout(timer);
}
