import type { Mode } from '../lib/mode.ts';
import type { Log } from './log/log.ts';

/** Who is acting: what the audit log and `created_by` record. */
export type Actor = { type: 'api_key'; id: string } | { type: 'system'; name: string };

/** What every use case is told about its caller, whichever driver (HTTP, job, socket) calls it. */
export interface Context {
  /** UUID of the account whose data may be touched. */
  accountId: string;
  mode: Mode;
  actor: Actor;
  scopes: ReadonlySet<string>;
  requestId: string;
  log: Log;
}
