import type { Pacing } from '../features/sessions/sessions.service.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
/** A newly linked number starts at this multiple of its interval and reaches 1 at the end of the warm-up. */
const WARM_UP_FACTOR = 5;

export interface PaceState {
  lastSentAt: Date | undefined;
  linkedAt: Date | null;
}

/**
 * Milliseconds to wait before the next message of a session.
 * @param random in [0, 1)
 */
export function paceDelay(
  pacing: Pacing,
  { lastSentAt, linkedAt }: PaceState,
  now: Date,
  random: () => number,
): number {
  if (lastSentAt === undefined) return 0;
  const gap = pacing.interval_ms * warmUpFactor(pacing, linkedAt, now) + pacing.jitter_ms * random();
  return Math.max(0, Math.round(lastSentAt.getTime() + gap - now.getTime()));
}

function warmUpFactor({ warm_up_days: days }: Pacing, linkedAt: Date | null, now: Date): number {
  if (days === 0 || linkedAt === null) return 1;
  const progress = Math.min(1, Math.max(0, (now.getTime() - linkedAt.getTime()) / (days * DAY_MS)));
  return WARM_UP_FACTOR - (WARM_UP_FACTOR - 1) * progress;
}
