import type { Mode } from '../../lib/mode.ts';

export const SESSION_STATUSES = [
  'starting',
  'pairing',
  'connecting',
  'connected',
  'disconnected',
  'logged_out',
  'banned',
  'replaced',
  'failed',
] as const;

/**
 * `starting`: waiting for a worker. `pairing`: shows a QR or pairing code. `connecting`: linked, opening.
 * `connected`: sends and receives. `disconnected`: will reconnect by itself. The rest need the customer.
 */
export type SessionStatus = (typeof SESSION_STATUSES)[number];

/** What the customer asked for; the worker that owns the session works towards it. */
export type DesiredState = 'running' | 'logged_out' | 'deleted';

/** How fast a session sends. Protects the number from looking like a machine. */
export interface Pacing {
  /** Least time between two messages, in milliseconds; 0 sends at once. */
  interval_ms: number;
  /** Up to this many random milliseconds more. */
  jitter_ms: number;
  /** Shows "typing…" before each message, within its interval. */
  typing: boolean;
  /** Days over which a newly linked number speeds up from a fifth of its rate; 0 turns it off. */
  warm_up_days: number;
}

/** What the customer set; the rest keeps the default of the mode. */
export type PacingOverrides = { [K in keyof Pacing]?: Pacing[K] | undefined };

const DEFAULT_PACING: Record<Mode, Pacing> = {
  live: { interval_ms: 1_000, jitter_ms: 500, typing: true, warm_up_days: 7 },
  test: { interval_ms: 0, jitter_ms: 0, typing: false, warm_up_days: 0 },
};

/** A session as stored. Ids are UUIDs, phones digits without `+`. */
export interface SessionRow {
  id: string;
  account_id: string;
  mode: Mode;
  name: string;
  desired: DesiredState;
  generation: number;
  status: SessionStatus;
  status_code: string | null;
  status_detail: string | null;
  status_at: Date;
  phone: string | null;
  lid: string | null;
  device: number | null;
  display_name: string | null;
  linked_at: Date | null;
  connected_at: Date | null;
  qr: string | null;
  qr_expires_at: Date | null;
  pairing_phone: string | null;
  pairing_code: string | null;
  pairing_error: string | null;
  auto_pair: boolean;
  pacing: PacingOverrides | null;
  created_at: Date;
}

/** The pacing that applies: what the customer set over the defaults of the mode. */
export function pacingOf({ mode, pacing }: Pick<SessionRow, 'mode' | 'pacing'>): Pacing {
  const usual = DEFAULT_PACING[mode];
  return {
    interval_ms: pacing?.interval_ms ?? usual.interval_ms,
    jitter_ms: pacing?.jitter_ms ?? usual.jitter_ms,
    typing: pacing?.typing ?? usual.typing,
    warm_up_days: pacing?.warm_up_days ?? usual.warm_up_days,
  };
}
