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

/** Puts the scopes on a pool made by `createPool`. */
export function createDatabase(pool: pg.Pool): Database {
  return {
    account: (scope, work) => inTransaction(pool, accountClaims(scope), work),
    accountOnce: (scope, work) => inOneTrip(pool, accountClaims(scope), work),
    system: (work) => inTransaction(pool, systemClaims, work),
    systemOnce: (work) => inOneTrip(pool, systemClaims, work),
  };
}
