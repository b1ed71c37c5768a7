import { fileURLToPath } from 'node:url';
import { type StartedProcess, startNode, stopProcess } from '../machine/processes.ts';

export interface Arrival {
  /** Microseconds of the shared clock. */
  at: number;
  path: string;
  id: string;
  text: string | undefined;
}

/** The customer's server of the benchmark, in a process of its own. */
export interface BenchReceiver {
  url: (path: string) => string;
  /** Called with everything that arrives from now on. */
  watch: (onArrival: (arrival: Arrival) => void) => void;
  close: () => Promise<void>;
}

export async function startReceiver(logFile: string): Promise<BenchReceiver> {
  const { child, ready } = await startBenchProcess('receiver-process.ts', logFile);
  let watcher: (arrival: Arrival) => void = () => undefined;
  child.on('message', (arrival: Arrival) => watcher(arrival));
  return {
    url: (path) => `http://127.0.0.1:${String(ready)}/${path}`,
    watch: (onArrival) => {
      watcher = onArrival;
    },
    close: () => stopProcess(child),
  };
}

export function startBenchProcess(script: string, logFile: string): Promise<StartedProcess> {
  const file = fileURLToPath(new URL(script, import.meta.url));
  return startNode(['--import', 'tsx', file], { env: { ...process.env }, logFile });
}
