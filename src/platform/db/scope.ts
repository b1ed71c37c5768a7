import type pg from 'pg';
import type { Mode } from '../../lib/mode.ts';
import type { Cause } from '../context.ts';
import { databaseErrors, isConnectionError } from './db.errors.ts';
import { isOutdated, prepared, sendTogether } from './prepared.ts';

declare const accountScope: unique symbol;
declare const systemScope: unique symbol;

/** Runs statements inside an open transaction. Rows come as Postgres types map to JavaScript (`timestamptz` → Date). */
export interface Queryable {
  query<Row extends object>(text: string, values?: readonly unknown[]): Promise<Row[]>;
}

/** A transaction that sees one account. Only {@link Database} makes it, so an unscoped query does not compile. */
export interface AccountTx extends Queryable {
  readonly [accountScope]: true;
}

/** A transaction across accounts, for `*.system.ts` files only. */
export interface SystemTx extends Queryable {
  readonly [systemScope]: true;
}

/** Whose rows a transaction may touch, and for whom. Without `mode`, both modes. */
export interface AccountScope extends Cause {
  accountId: string;
  mode?: Mode;
}

interface Scope {
  role: 'pingr_account' | 'service_role';
  claims: string;
  /** Whom the audit log names; `undefined` for the program itself. */
  actor?: string | undefined;
}

const SET_SCOPE = `select set_config('role', $1, true), set_config('request.jwt.claims', $2, true)`;
const SET_ACTOR = `set_config('pingr.actor', $3, true)`;
/** Longer ones say nothing more. */
const LONGEST_AGENT = 300;

export function accountClaims(scope: AccountScope): Scope {
  const { accountId, mode } = scope;
  return {
    role: 'pingr_account',
    claims: JSON.stringify({ iss: 'pingr', account_id: accountId, mode }),
    actor: actorOf(scope),
  };
}

/** The caller's account, whatever the mode: for what belongs to both. */
export function bothModes({ accountId, actor, ip, userAgent, requestId }: AccountScope): AccountScope {
  return { accountId, ip, userAgent, ...(actor && { actor }), ...(requestId && { requestId }) };
}

/** In a transaction across accounts: names whoever caused the changes that follow, for the audit log. */
export async function actFor(tx: SystemTx, cause: Cause): Promise<void> {
  const actor = actorOf(cause);
  if (actor !== undefined) await tx.query(`select set_config('pingr.actor', $1, true)`, [actor]);
}

function actorOf({ actor, ip, userAgent, requestId }: Cause): string | undefined {
  const known = actor?.type === 'system' ? undefined : actor;
  // Somebody whom nothing but a link in a mail names still comes from somewhere.
  if (known === undefined && ip === undefined) return undefined;
  const agent = userAgent?.slice(0, LONGEST_AGENT);
  return JSON.stringify({ type: known?.type, id: known?.id, ip, user_agent: agent, request_id: requestId });
}

export const systemClaims: Scope = { role: 'service_role', claims: '{}' };

/**
 * Begins, scopes, runs `work` and commits. Begin, scope and the first statement leave in one flight.
 * @param scope `undefined` where the pool's connections have it already
 */
export async function inTransaction<T>(
  pool: pg.Pool,
  scope: Scope | undefined,
  work: (tx: AccountTx & SystemTx) => Promise<T>,
): Promise<T> {
  const client = await connect(pool);
  let broken: Error | undefined;
  try {
    sendTogether(client);
    const opened = Promise.all([client.query('begin'), scope && client.query(setScope(scope))]);
    opened.catch(() => undefined);
    const result = await work(transactionOf(client));
    await opened;
    await commit(client);
    return result;
  } catch (error) {
    broken = await rollBack(client, error);
    throw broken ? databaseErrors.unavailable({ cause: error }) : error;
  } finally {
    client.release(broken);
  }
}

/**
 * Like {@link inTransaction} for work that is one statement: begin, scope, statement and commit leave together, so
 * that it costs one round trip. A second statement throws. Without a scope to set the statement goes alone.
 */
export async function inOneTrip<T>(
  pool: pg.Pool,
  scope: Scope | undefined,
  work: (tx: AccountTx & SystemTx) => Promise<T>,
): Promise<T> {
  const client = await connect(pool);
  let broken: Error | undefined;
  let outdated: Error | undefined;
  let used = false;

  async function query<Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    if (used) throw new Error('a one-trip transaction takes one statement');
    used = true;
    try {
      return await trip<Row>(client, scope, prepared(text, values));
    } catch (error) {
      if (!isOutdated(error)) throw error;
      outdated = error;
      return await trip<Row>(client, scope, { text, values: [...values] });
    }
  }

  try {
    return await work({ query } as AccountTx & SystemTx);
  } catch (error) {
    if (isConnectionError(error)) broken = error;
    throw broken ? databaseErrors.unavailable({ cause: error }) : error;
  } finally {
    client.release(broken ?? outdated);
  }
}

/** Nothing happened where it fails. */
async function trip<Row extends object>(
  client: pg.PoolClient,
  scope: Scope | undefined,
  query: pg.QueryConfig,
): Promise<Row[]> {
  if (scope === undefined) return (await client.query<Row>(query)).rows;
  sendTogether(client);
  const answers = [
    client.query('begin'),
    client.query(setScope(scope)),
    client.query<Row>(query),
    client.query('commit'),
  ] as const;
  // Every answer is in before the first failure is reported, so that the client is quiet when it is released.
  await Promise.allSettled(answers);
  const [, , result, committed] = await Promise.all(answers);
  if (committed.command !== 'COMMIT') throw new Error('the transaction was rolled back');
  return result.rows;
}

function setScope({ role, claims, actor }: Scope): pg.QueryConfig {
  return actor === undefined
    ? prepared(SET_SCOPE, [role, claims])
    : prepared(`${SET_SCOPE}, ${SET_ACTOR}`, [role, claims, actor]);
}

async function connect(pool: pg.Pool): Promise<pg.PoolClient> {
  try {
    return await pool.connect();
  } catch (error) {
    throw databaseErrors.unavailable({ cause: error });
  }
}

async function commit(client: pg.PoolClient): Promise<void> {
  const { command } = await client.query('commit');
  if (command !== 'COMMIT') throw new Error('the transaction was rolled back');
}

/** @returns the error when the connection itself failed and must not be used again. */
async function rollBack(client: pg.PoolClient, error: unknown): Promise<Error | undefined> {
  if (isConnectionError(error) || isOutdated(error)) return error;
  try {
    await client.query('rollback');
    return undefined;
  } catch (rollbackError) {
    return rollbackError instanceof Error ? rollbackError : new Error('rollback failed');
  }
}

function transactionOf(client: pg.PoolClient): AccountTx & SystemTx {
  const queryable: Queryable = {
    query: async <Row extends object>(text: string, values: readonly unknown[] = []) =>
      (await client.query<Row>(prepared(text, values))).rows,
  };
  return queryable as AccountTx & SystemTx;
}
