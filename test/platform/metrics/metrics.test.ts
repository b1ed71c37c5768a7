import { describe, expect, it } from 'vitest';
import { createMetrics, setQueueDepths } from '../../../src/platform/metrics/metrics.ts';

describe('metrics', () => {
  it('are those of one process object, in the Prometheus text format', async () => {
    const [one, other] = [createMetrics({ process: false }), createMetrics({ process: false })];
    one.sends.inc({ mode: 'test', outcome: 'sent' });
    one.requestDuration.observe({ method: 'POST', route: '/v1/messages', status: '202' }, 0.003);
    const text = await one.registry.metrics();
    expect(text).toContain('pingr_sends_total{mode="test",outcome="sent"} 1');
    expect(text).toContain(
      'pingr_http_request_duration_seconds_bucket{le="0.005",method="POST",route="/v1/messages",status="202"} 1',
    );
    expect(await other.registry.metrics()).not.toContain('outcome="sent"');
  });

  it('show queue depths as they are now', async () => {
    const metrics = createMetrics({ process: false });
    setQueueDepths(metrics, [{ queue: 'webhooks', counts: { waiting: 7, failed: 1 } }]);
    setQueueDepths(metrics, [{ queue: 'webhooks', counts: { waiting: 3, failed: 1 } }]);
    const text = await metrics.registry.metrics();
    expect(text).toContain('pingr_queue_jobs{queue="webhooks",state="waiting"} 3');
    expect(text).toContain('pingr_queue_jobs{queue="webhooks",state="failed"} 1');
  });

  it('include memory, CPU and event loop of the process', async () => {
    expect(await createMetrics().registry.metrics()).toMatch(
      /process_cpu_seconds_total[^]*nodejs_eventloop_lag/,
    );
  });
});
