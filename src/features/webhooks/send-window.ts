/**
 * How many requests an endpoint gets at once. It begins with one, so that a receiver that hangs costs one socket; every
 * success allows one more, and a failure leaves one.
 */
export interface SendWindow {
  limit: number;
  /** How long answers take of late, in milliseconds. */
  answerMs: number;
}

export const NEW_WINDOW: SendWindow = { limit: 1, answerMs: Number.POSITIVE_INFINITY };

/** Weight of the newest answer in the average. */
const NEWEST = 0.2;
/** Deliveries taken ahead of their sending should be gone after about so long. */
const AHEAD_MS = 250;
const MOST_AHEAD = 180;

/** @param ms how long the answer took */
export function afterSuccess({ limit, answerMs }: SendWindow, ms: number, most: number): SendWindow {
  const average = Number.isFinite(answerMs) ? answerMs * (1 - NEWEST) + ms * NEWEST : ms;
  return { limit: Math.min(limit + 1, most), answerMs: average };
}

export function afterFailure({ answerMs }: SendWindow): SendWindow {
  return { limit: 1, answerMs };
}

/** Takes nothing ahead until answers come again. */
export function withNothingAhead({ limit }: SendWindow): SendWindow {
  return { limit, answerMs: Number.POSITIVE_INFINITY };
}

/**
 * How many deliveries to claim now. Some are taken ahead where answers come fast, so that claims are few; a lane with
 * half of those in hand waits.
 * @param ready deliveries in hand that are not being sent
 */
export function roomFor(window: SendWindow, inFlight: number, ready: number): number {
  const ahead =
    window.limit === 1 ? 0 : Math.min(Math.floor((window.limit * AHEAD_MS) / window.answerMs), MOST_AHEAD);
  if (ready > ahead / 2) return 0;
  return Math.max(0, window.limit + ahead - inFlight - ready);
}
