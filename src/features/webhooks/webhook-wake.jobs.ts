import { z } from 'zod';
import type { Mode } from '../../lib/mode.ts';
import type { Jobs } from '../../platform/jobs/jobs.ts';
import { defineQueue } from '../../platform/jobs/queue-definition.ts';
import type { Log } from '../../platform/log/log.ts';

/** "This endpoint has deliveries that are due", to any worker of a mode (the suffix). */
export const webhookWakeQueue = defineQueue('webhook-wake', z.object({ endpoint_id: z.uuid() }), {
  attempts: 1,
});

/** Notice channel that all workers listen on; the payload is the UUID of an endpoint whose holder should look. */
export const WEBHOOK_WAKE_CHANNEL = 'pingr_webhook_wake';

/** Gets an endpoint looked at. Hints, all of them: the rows are the truth, and the workers' sweeps find them. */
export interface EndpointWaker {
  /** Wakes whoever holds the endpoint, or any worker of the mode. */
  wake(endpointId: string, mode: Mode): void;
  /** Asks any worker of the mode to take an endpoint that nobody holds, now or after a pause. */
  offer(endpointId: string, mode: Mode, delayMs?: number): void;
}

interface WakerParts {
  jobs: Pick<Jobs, 'queue'>;
  /** Sends a notice to who listens on the channel. */
  send: (channel: string, payload: string) => void;
  log: Log;
}

export function createEndpointWaker({ jobs, send, log }: WakerParts): EndpointWaker {
  function offer(endpointId: string, mode: Mode, delayMs = 0): void {
    // Those of one endpoint collapse; a later pause replaces nothing.
    const when = delayMs > 0 ? { delayMs } : { coalesce: endpointId };
    void jobs
      .queue(webhookWakeQueue, mode)
      .add({ endpoint_id: endpointId }, when)
      .catch((error: unknown) => {
        log.warn({ err: error, endpoint: endpointId }, 'wake-up not sent, the sweep will find it');
      });
  }
  return {
    offer,
    wake(endpointId, mode) {
      send(WEBHOOK_WAKE_CHANNEL, endpointId);
      offer(endpointId, mode);
    },
  };
}
