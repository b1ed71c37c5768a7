import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

/**
 * Makes this process the only supervisor of the data directory.
 * @returns what gives the directory free again
 * @throws Error in words for the person who started Pingr, where another supervisor lives
 */
export async function lockDataDir(dataDir: string): Promise<() => Promise<void>> {
  const file = path.join(dataDir, 'pingr.pid');
  const other = Number(await readFile(file, 'utf8').catch(() => 'nobody'));
  if (Number.isInteger(other) && other !== process.pid && (await isPingr(other))) {
    throw new Error(
      `Pingr already runs on ${dataDir} (process ${other}). Stop it, or set another PINGR_DATA_DIR and PORT.`,
    );
  }
  await writeFile(file, `${process.pid}`, { mode: 0o600 });
  return () => rm(file, { force: true });
}

/** Whether the process lives and, where that can be seen, runs this program: its pid may be somebody else's by now. */
async function isPingr(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const script = path.basename(process.argv[1] ?? '');
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => undefined);
  return command === undefined || command.includes(script);
}
