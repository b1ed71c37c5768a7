import { spawn } from 'node:child_process';
import { stat } from 'node:fs/promises';

/** An account of the operating system. */
export interface OsUser {
  uid: number;
  gid: number;
}

/** What a program said and how it ended. */
export interface ProgramResult {
  /** Exit code; `null` when it could not be started or was killed. */
  code: number | null;
  stdout: string;
  stderr: string;
}

const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * Which user the server must run as. Postgres refuses to run as root, so root hands over to the owner of the
 * cluster, else to the user `postgres`, which is created where it is missing.
 * @param clusterDir the cluster, which may not exist yet
 * @returns `undefined` where the current user will do
 * @throws Error when a cluster belongs to somebody else, or no user can be made
 */
export async function serverUser(clusterDir: string): Promise<OsUser | undefined> {
  const owner = await stat(clusterDir).catch(() => undefined);
  const self = process.getuid?.();
  if (self === undefined || self !== 0) {
    if (owner && self !== undefined && owner.uid !== self) {
      throw new Error(
        `The database in ${clusterDir} belongs to user ${owner.uid}: start as root, or choose another PINGR_DATA_DIR.`,
      );
    }
    return undefined;
  }
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  return (await lookUp('postgres')) ?? (await create('postgres'));
}

/** Whether `user` may start the program; permissions are tried, not computed. */
export async function canRun(file: string, args: string[], user: OsUser): Promise<boolean> {
  return (await runProgram(file, args, user)).code === 0;
}

/** Whether `user` can enter the directory. */
export async function canEnter(directory: string, user: OsUser): Promise<boolean> {
  return canRun('/bin/sh', ['-c', 'cd "$1"', 'sh', directory], user);
}

/** Runs a program to its end, as `user` where given. Never rejects. */
export async function runProgram(file: string, args: string[], user?: OsUser): Promise<ProgramResult> {
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      ...user,
      cwd: '/',
      env: { PATH: SYSTEM_PATH, LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.on('error', (error) => resolve({ code: null, stdout, stderr: error.message }));
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

async function lookUp(name: string): Promise<OsUser | undefined> {
  const [uid, gid] = await Promise.all([runProgram('id', ['-u', name]), runProgram('id', ['-g', name])]);
  if (uid.code !== 0 || gid.code !== 0) return undefined;
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
}

async function create(name: string): Promise<OsUser> {
  const made = await runProgram('useradd', ['--system', '--user-group', '--no-create-home', name]);
  const user = await lookUp(name);
  if (user) return user;
  throw new Error(
    `Postgres does not run as root, and the user ${name} could not be created (${made.stderr.trim()}). ` +
      'Start as an ordinary user, or set DATABASE_URL.',
  );
}
