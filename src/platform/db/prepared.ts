import type pg from 'pg';

/** Most statements that a connection keeps prepared; SQL that is put together from parts could have any number. */
const MAX_PREPARED = 300;
const names = new Map<string, string>();

/**
 * A query that Postgres parses once a connection and, after five runs, plans once: planning costs more than running
 * for most statements here. Statements without values stay as they are.
 */
export function prepared(text: string, values: readonly unknown[]): pg.QueryConfig {
  if (values.length === 0) return { text };
  const name = names.get(text) ?? newName(text);
  return { text, values: [...values], ...(name !== undefined && { name }) };
}

function newName(text: string): string | undefined {
  if (names.size >= MAX_PREPARED) return undefined;
  const name = `pingr_${names.size}`;
  names.set(text, name);
  return name;
}

/** True where a table changed under a prepared statement (a migration): the statement failed before it did anything. */
export function isOutdated(error: unknown): error is Error {
  return error instanceof Error && 'routine' in error && error.routine === 'RevalidateCachedQuery';
}

/**
 * Lets everything that is written to the connection in this turn of the event loop leave together. Each statement
 * would be a system call of its own, and these were two fifths of the CPU time of a worker under load.
 */
export function sendTogether(client: pg.PoolClient): void {
  const stream = streamOf(client);
  if (stream === undefined) return;
  stream.cork();
  process.nextTick(() => stream.uncork());
}

/** `pg` does not declare the socket, and TLS may replace it while the connection opens. */
function streamOf(client: object): Corkable | undefined {
  const connection = 'connection' in client ? client.connection : undefined;
  const stream =
    typeof connection === 'object' && connection !== null && 'stream' in connection
      ? connection.stream
      : undefined;
  return isCorkable(stream) ? stream : undefined;
}

interface Corkable {
  cork(): void;
  uncork(): void;
}

function isCorkable(stream: unknown): stream is Corkable {
  return typeof stream === 'object' && stream !== null && 'cork' in stream && 'uncork' in stream;
}
