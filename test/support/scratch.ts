import { mkdtemp, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

const MEMORY = '/dev/shm';
/** What a run's databases need at most, with the write-ahead log. */
const ENOUGH_BYTES = 3 * 2 ** 30;

/** A fresh directory, in memory where there is room: copying a database of a thousand files is ten times faster there. */
export async function makeScratchDir(prefix: string): Promise<string> {
  if (await hasRoom()) {
    const made = await mkdtemp(path.join(MEMORY, prefix)).catch(() => undefined);
    if (made !== undefined) return made;
  }
  return mkdtemp(path.join(tmpdir(), prefix));
}

async function hasRoom(): Promise<boolean> {
  const found = await statfs(MEMORY).catch(() => undefined);
  return found !== undefined && found.bavail * found.bsize > ENOUGH_BYTES;
}
