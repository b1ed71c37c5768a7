import type { Pacing } from '../features/sessions/sessions.service.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
/** A newly linked number starts at this multiple of its interval and reaches 1 at the end of the warm-up. */
const WARM_UP_FACTOR = 5;
/** Typing takes so long a character, at least and at most. */
const CHARACTER_MS = { least: 40, most: 120 };
const TYPING_MS = { least: 500, most: 12_000 };

export interface PaceState {
  lastSentAt: Date | undefined;
  linkedAt: Date | null;
}

/** When the next message of a session goes out, in milliseconds from now. */
export interface Pace {
  /** "typing…" shows from then on; the same as `sendIn` where it does not show. */
  typeIn: number;
  sendIn: number;
}

/**
 * Paces the next message. "typing…" shows for about as long as a person would type it, but for no longer than the
 * interval, of which it is a part: a full queue is sent as fast as without it, and a first message waits little.
 * @param length of the text, in characters
 * @param random in [0, 1)
 */
export function paceNext(
  pacing: Pacing,
  { lastSentAt, linkedAt, length }: PaceState & { length: number },
  now: Date,
  random: () => number,
): Pace {
  const jitter = pacing.jitter_ms * random();
  const gap = pacing.interval_ms * warmUpFactor(pacing, linkedAt, now) + jitter;
  const wait = lastSentAt === undefined ? 0 : Math.max(0, lastSentAt.getTime() + gap - now.getTime());
  const typing = pacing.typing ? Math.min(typingTime(length, random), pacing.interval_ms + jitter) : 0;
  const sendIn = Math.round(Math.max(wait, typing));
  return { typeIn: sendIn - Math.round(typing), sendIn };
}

function typingTime(length: number, random: () => number): number {
  const perCharacter = CHARACTER_MS.least + (CHARACTER_MS.most - CHARACTER_MS.least) * random();
  return Math.min(TYPING_MS.most, Math.max(TYPING_MS.least, length * perCharacter));
}

function warmUpFactor({ warm_up_days: days }: Pacing, linkedAt: Date | null, now: Date): number {
  if (days === 0 || linkedAt === null) return 1;
  const progress = Math.min(1, Math.max(0, (now.getTime() - linkedAt.getTime()) / (days * DAY_MS)));
  return WARM_UP_FACTOR - (WARM_UP_FACTOR - 1) * progress;
}
