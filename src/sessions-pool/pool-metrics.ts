/** What the pool counts; `roles/worker` puts it on the process's metrics. */
export interface PoolMetrics {
  /** A send ended: `sent`, `failed`, or why it will be tried again. */
  sendEnded(outcome: string): void;
  /** Milliseconds from acceptance to the lane's taking the message up. */
  laneLag(ms: number): void;
  /** Milliseconds from putting a message on the wire to WhatsApp's ack. */
  sendTook(ms: number): void;
  receipt(status: string): void;
  /** Messages that came in. */
  inbound(count: number): void;
  /** A connection ended, with its close code; `again` where another follows. */
  disconnected(code: string, again: boolean): void;
}
