/** What the pool counts; `roles/worker` puts it on the process's metrics. */
export interface PoolMetrics {
  /** A send ended: `sent`, `failed`, or why it will be tried again. */
  sendEnded(outcome: string): void;
  /** Milliseconds from acceptance to WhatsApp's ack. */
  laneLag(ms: number): void;
  receipt(status: string): void;
  reconnect(code: string): void;
}
