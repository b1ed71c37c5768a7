import { RETRY_DELAYS_MS } from './retry-schedule.ts';

const DAY_MS = 86_400_000;

/** How a pool works; every time in milliseconds. */
export interface DeliverySettings {
  /** How long a lease lasts without renewal. */
  leaseMs: number;
  renewMs: number;
  /** How often endpoints are looked for that nobody delivers to. */
  sweepMs: number;
  /** How long a lane with nothing to do stays. */
  lingerMs: number;
  /** For one request, from the name to the last byte of the answer. */
  timeoutMs: number;
  /** Most requests to one endpoint at once. */
  concurrency: number;
  /** Most endpoints of this process at once. */
  lanes: number;
  /** Pauses between tries. */
  schedule: readonly number[];
  /** An endpoint where every attempt has failed for so long is switched off. */
  disableAfterMs: number;
  /** At shutdown: how long requests under way may take, and then how long writing what came of them may. */
  finishMs: number;
  flushMs: number;
}

export const DELIVERY_SETTINGS: DeliverySettings = {
  leaseMs: 30_000,
  renewMs: 10_000,
  sweepMs: 3_000,
  lingerMs: 30_000,
  timeoutMs: 10_000,
  concurrency: 20,
  lanes: 1_000,
  schedule: RETRY_DELAYS_MS,
  disableAfterMs: 5 * DAY_MS,
  finishMs: 3_000,
  flushMs: 1_500,
};
