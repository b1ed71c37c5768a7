import type { AttemptOutcome } from './deliveries.model.ts';

/** What the delivery engine counts; `roles/worker` puts it on the process's metrics. */
export interface DeliveryMetrics {
  attemptEnded(outcome: AttemptOutcome): void;
  /** Milliseconds from an event to the receiver's 2xx for it. */
  delivered(ms: number): void;
}
