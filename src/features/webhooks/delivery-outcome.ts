import type { Attempt } from './attempt-delivery.ts';
import type { ClaimedDelivery } from './claim.system.ts';
import type { Outcome } from './complete.system.ts';
import type { LaneLease } from './lanes.system.ts';
import { retryDelay } from './retry-schedule.ts';

/** A claimed delivery and the lane that claimed it. */
interface Claimed {
  delivery: Pick<ClaimedDelivery, 'id' | 'attempt_id' | 'number' | 'tries'>;
  lease: Pick<LaneLease, 'endpointId' | 'epoch'>;
}

/** Pauses between tries, and the chance that spreads them. */
export interface Retrying {
  schedule: readonly number[];
  random: () => number;
}

/**
 * What an attempt makes of its delivery: delivered; pending until the next try; or failed, where no try is left. One that
 * was interrupted is due again at once and used no try up. A rest that the receiver asks for is its endpoint's.
 */
export function outcomeOf(claimed: Claimed, attempt: Attempt, { schedule, random }: Retrying): Outcome {
  const { outcome, url, statusCode, error, restMs, startedAt, durationMs, response } = attempt;
  const what = {
    ...blank(claimed),
    outcome,
    url,
    statusCode,
    error,
    restMs,
    startedAt,
    durationMs,
    response,
  };
  if (outcome === 'succeeded') return { ...what, status: 'delivered' };
  if (outcome === 'interrupted') return what;
  const delayMs = retryDelay(claimed.delivery.tries + 1, schedule, random);
  if (delayMs === undefined) return { ...what, status: 'failed' };
  return { ...what, delayMs };
}

/** Of a delivery that goes back untouched. */
export function unsentOutcome(claimed: Claimed): Outcome {
  return { ...blank(claimed), outcome: 'unsent' };
}

/** Of a delivery that can never be sent. @param error stable word for why */
export function unsendableOutcome(claimed: Claimed, error: string): Outcome {
  return { ...blank(claimed), outcome: 'failed', status: 'failed', error };
}

function blank({ delivery, lease }: Claimed): Outcome {
  return {
    attemptId: delivery.attempt_id,
    deliveryId: delivery.id,
    endpointId: lease.endpointId,
    epoch: lease.epoch,
    number: delivery.number,
    url: null,
    outcome: 'interrupted',
    status: 'pending',
    delayMs: 0,
    startedAt: null,
    durationMs: null,
    statusCode: null,
    error: null,
    response: null,
    restMs: null,
  };
}
