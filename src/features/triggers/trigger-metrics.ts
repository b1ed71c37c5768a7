/** What the runner counts; `roles/worker` puts it on the process's metrics. */
export interface TriggerMetrics {
  /**
   * A message was dealt with: a trigger fired, or none did, or it was given up.
   * @param ms since the message was stored
   */
  looked(outcome: 'fired' | 'passed' | 'given_up', ms: number): void;
  /** What became of the reply of a trigger that fired: `none` where it has none or wanted none. */
  replied(outcome: 'sent' | 'none' | 'failed'): void;
  /** So many triggers did not look at a message, because the ones before them took too long. */
  skipped(triggers: number): void;
  /** A `reply_url` was asked. */
  asked(outcome: 'text' | 'none' | 'failed', ms: number): void;
}
