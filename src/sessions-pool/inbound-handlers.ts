import type { LaneMessages } from '../features/messages/lane.service.ts';
import type { Clock } from '../lib/clock.ts';
import { describeRefusal } from '../whatsapp/send-failures.ts';
import type { SocketHandlers } from '../whatsapp/socket.ts';
import { preciseTime } from '../whatsapp/wire-time.ts';
import type { Lease } from './leases.system.ts';
import type { PoolMetrics } from './pool-metrics.ts';

interface Parts {
  messages: LaneMessages;
  clock: Clock;
  metrics: PoolMetrics;
}

/**
 * Handlers for what WhatsApp delivers. Each resolves once it is committed, and only then is it acknowledged; each
 * rejects when it could not be, so that WhatsApp delivers it again.
 */
export function inboundHandlers(
  { messages, metrics, clock }: Parts,
  lease: Lease,
): Pick<SocketHandlers, 'onMessages' | 'areStored' | 'onReceipts' | 'onRefused' | 'loadSent'> {
  const fence = { sessionId: lease.sessionId, epoch: lease.epoch };
  return {
    async onMessages(inbound) {
      const now = clock.now();
      await messages.receive(
        lease,
        inbound.map((message) => ({ ...message, sentAt: preciseTime(message.sentAt, now) })),
      );
      metrics.inbound(inbound.length);
    },

    areStored: (wireIds) => messages.known(lease, wireIds),

    async onReceipts(receipts) {
      const now = clock.now();
      const news = receipts.flatMap(({ wireIds, status, at }) =>
        wireIds.map((wireId) => ({ wireId, status, at: preciseTime(at, now) })),
      );
      await Promise.all(
        news.map((receipt) => messages.progress.write({ kind: 'receipt', ...fence, ...receipt })),
      );
      for (const { status } of news) metrics.receipt(status);
    },

    async onRefused({ wireId, wireCode }) {
      const { code, detail, remedy } = describeRefusal(wireCode);
      await messages.refuse(lease, wireId, { code, detail: `${detail} ${remedy}`, wireCode });
    },

    loadSent: (wireId) => messages.loadSent(lease, wireId),
  };
}
