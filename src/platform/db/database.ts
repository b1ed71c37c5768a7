import type pg from 'pg';
import {
  type AccountScope,
  type AccountTx,
  accountClaims,
  inOneTrip,
  inTransaction,
  type SystemTx,
  systemClaims,
} from './scope.ts';

/** The only way to the tables: every statement runs in an account's scope or, in `*.system.ts`, across accounts. */
export interface Database {
  /** A transaction in the account's scope. Throws what `work` throws, after rolling back. */
  account<T>(scope: AccountScope, work: (tx: AccountTx) => Promise<T>): Promise<T>;
  /** The same for work of one statement, in one round trip; a second statement throws. */
  accountOnce<T>(scope: AccountScope, work: (tx: AccountTx) => Promise<T>): Promise<T>;
  /** A transaction across accounts. */
  system<T>(work: (tx: SystemTx) => Promise<T>): Promise<T>;
  /** The same for work of one statement, in one round trip; a second statement throws. */
  systemOnce<T>(work: (tx: SystemTx) => Promise<T>): Promise<T>;
}

/**
 * Puts the scopes on pools made by `createPool`.
 * @param systemPool connections of scope `system`, which spare work across accounts the change of role in every
 *   transaction: half the CPU time of a worker's statements. Without it that work shares `pool`.
 */
export function createDatabase(pool: pg.Pool, systemPool?: pg.Pool): Database {
  const system =
    systemPool === undefined ? { pool, scope: systemClaims } : { pool: systemPool, scope: undefined };
  return {
    account: (scope, work) => inTransaction(pool, accountClaims(scope), work),
    accountOnce: (scope, work) => inOneTrip(pool, accountClaims(scope), work),
    system: (work) => inTransaction(system.pool, system.scope, work),
    systemOnce: (work) => inOneTrip(system.pool, system.scope, work),
  };
}
