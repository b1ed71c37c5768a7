/** WhatsApp tells times in whole seconds. */
const PRECISION_MS = 1_000;
/** How far the clocks may be apart for a time to count as "just now". */
const TOLERANCE_MS = 2_000;

/**
 * A time from the wire, made as precise as can be: what happened just now, to the second, happened now. Times of
 * things that waited (an offline queue) stay as they are.
 */
export function preciseTime(wire: Date, now: Date): Date {
  const age = now.getTime() - wire.getTime();
  return age > -TOLERANCE_MS && age < PRECISION_MS + TOLERANCE_MS ? now : wire;
}
