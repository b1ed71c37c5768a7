import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { memoryOf } from './processes.ts';

/** Arguments for a Node process whose settled memory will be asked for. */
export const GARBAGE_ARGS = [
  '--expose-gc',
  '--import',
  new URL('collect-garbage.mjs', import.meta.url).href,
] as const;

/** Resident memory after garbage was collected, in megabytes: the least seen. */
export async function settledMemory(pid: number): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let n = 0; n < 4; n++) {
    process.kill(pid, 'SIGUSR2');
    await sleep(750);
    least = Math.min(least, await memoryOf(pid));
  }
  return least;
}

/** The repository. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
