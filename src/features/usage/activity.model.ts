import { isIP } from 'node:net';
import type { Mode } from '../../lib/mode.ts';
import type { RequestRecord } from '../../platform/http/request-log.ts';

/** One request of an account, as it is logged. */
export interface ActivityRow {
  id: string;
  account_id: string;
  mode: Mode;
  at: Date;
  method: string;
  route: string;
  status: number;
  duration_ms: number;
  key_id: string | null;
  user_id: string | null;
  ip: string | null;
  user_agent: string | null;
  request_id: string;
  error_code: string | null;
}

const LONGEST_AGENT = 300;

/** The row of a request; `undefined` where nobody is known to have made it. */
export function toActivityRow(record: RequestRecord, id: string, at: Date): ActivityRow | undefined {
  const { principal, ip, userAgent, ms } = record;
  if (principal === undefined) return undefined;
  return {
    id,
    account_id: principal.accountId,
    mode: principal.mode,
    at,
    method: record.method,
    route: record.route,
    status: record.status,
    duration_ms: ms,
    ...actorOf(principal.actor),
    // A proxy that is trusted may still forward what is no address; Postgres takes no zone (`fe80::1%eth0`).
    ip: isIP(ip) === 0 || ip.includes('%') ? null : ip,
    user_agent: userAgent?.slice(0, LONGEST_AGENT) ?? null,
    request_id: record.requestId,
    error_code: record.code ?? null,
  };
}

function actorOf(actor: { type: string; id?: string }): Pick<ActivityRow, 'key_id' | 'user_id'> {
  return {
    key_id: actor.type === 'api_key' ? (actor.id ?? null) : null,
    user_id: actor.type === 'user' ? (actor.id ?? null) : null,
  };
}
