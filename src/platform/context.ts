import type { Mode } from '../lib/mode.ts';
import type { Log } from './log/log.ts';

/** Who is acting: what the audit log and `created_by` record. */
export type Actor =
  | { type: 'api_key'; id: string }
  /** A person who is signed in; `role` is theirs in the account, `signInId` where Pingr itself signed them in. */
  | { type: 'user'; id: string; role: string; signInId?: string | undefined }
  | { type: 'system'; name: string };

/** Who caused a change, from where, and by which request. */
export interface Cause {
  actor?: Actor;
  /** Address of the caller. */
  ip?: string | undefined;
  userAgent?: string | undefined;
  requestId?: string;
}

/** What every use case is told about its caller, whichever driver (HTTP, job, socket) calls it. */
export interface Context extends Cause {
  /** UUID of the account whose data may be touched. */
  accountId: string;
  mode: Mode;
  actor: Actor;
  scopes: ReadonlySet<string>;
  requestId: string;
  log: Log;
}
