import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { PostgresBinaries } from './binaries.ts';
import { canEnter, type OsUser, runProgram } from './os-user.ts';

const settingsSchema = z.object({
  /** Names the cluster where it cannot lie in the data directory. */
  id: z.string().regex(/^[0-9a-f]+$/),
  /** Password of the superuser `postgres`. */
  password: z.string().min(1),
  /** Port of the last start, tried first at the next one. */
  port: z.number().int().positive().optional(),
});

/** What is remembered about a cluster between starts. */
export type ClusterSettings = z.infer<typeof settingsSchema>;

const SETTINGS_FILE = 'settings.json';

/**
 * Reads what an earlier start left, or makes a password for a new cluster.
 * @throws Error when the file is there but cannot be read
 */
export async function loadSettings(dataDir: string): Promise<ClusterSettings> {
  try {
    return settingsSchema.parse(JSON.parse(await readFile(path.join(dataDir, SETTINGS_FILE), 'utf8')));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
  const settings = { id: randomBytes(6).toString('hex'), password: randomBytes(24).toString('base64url') };
  await saveSettings(dataDir, settings);
  return settings;
}

/** Writes the settings so that only the current user can read them; a crash leaves the old ones. */
export async function saveSettings(dataDir: string, settings: ClusterSettings): Promise<void> {
  const file = path.join(dataDir, SETTINGS_FILE);
  await writeFile(`${file}.new`, JSON.stringify(settings), { mode: 0o600 });
  await rename(`${file}.new`, file);
}

/** Makes the data directory's way in for the server's user. @returns whether that user can enter */
export async function letIn(dataDir: string, user: OsUser | undefined): Promise<boolean> {
  if (!user) return true;
  // Others may pass through; what is secret below has its own mode.
  await chmod(dataDir, 0o711);
  return canEnter(dataDir, user);
}

/** Whether a finished cluster is in the directory. */
export async function isCluster(clusterDir: string): Promise<boolean> {
  return stat(path.join(clusterDir, 'PG_VERSION')).then(
    () => true,
    () => false,
  );
}

interface NewCluster {
  clusterDir: string;
  password: string;
  user: OsUser | undefined;
  binaries: PostgresBinaries;
  /** False skips fsync, for tests. */
  durable: boolean;
}

/**
 * Makes a cluster (UTF-8, sorted by code point, password sign-in only). It is made beside its place and moved there
 * once complete, so a kill in between leaves nothing that looks like a cluster.
 * @throws Error with initdb's words
 */
export async function createCluster({
  clusterDir,
  password,
  user,
  binaries,
  durable,
}: NewCluster): Promise<void> {
  const unfinished = `${clusterDir}.new`;
  const passwordFile = `${clusterDir}.password`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { mode: 0o700 });
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (user) await Promise.all([unfinished, passwordFile].map((file) => chown(file, user.uid, user.gid)));
  try {
    const flags = [
      '--username=postgres',
      '--auth=scram-sha-256',
      `--pwfile=${passwordFile}`,
      '--encoding=UTF8',
    ];
    const locale = ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
    const sync = durable ? [] : ['--no-sync'];
    const made = await runProgram(
      binaries.initdb,
      [`--pgdata=${unfinished}`, ...flags, ...locale, ...sync],
      user,
    );
    if (made.code !== 0) throw new Error(`Postgres could not make its data directory: ${made.stderr.trim()}`);
    await rename(unfinished, clusterDir);
  } finally {
    await rm(passwordFile, { force: true });
  }
}
