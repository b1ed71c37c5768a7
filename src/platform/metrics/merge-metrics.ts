import { AggregatorRegistry, type Registry } from 'prom-client';
import { z } from 'zod';

/** As `Registry.getMetricsAsJSON()` writes them. */
const snapshot = z.array(
  z.looseObject({
    name: z.string(),
    help: z.string(),
    type: z.string(),
    aggregator: z.string().optional(),
    values: z.array(z.unknown()),
  }),
);

/**
 * Prometheus text of a registry together with snapshots of other processes'. Product metrics (`pingr_…`) are summed
 * by label; those about a process itself (memory, CPU) are shown for the registry's own process only.
 */
export async function mergeMetrics(own: Registry, others: readonly unknown[]): Promise<string> {
  const theirs = others.flatMap((other) => {
    const parsed = snapshot.safeParse(other);
    return parsed.success ? [parsed.data.filter(({ name }) => name.startsWith('pingr_'))] : [];
  });
  const mine = await own.getMetricsAsJSON();
  return AggregatorRegistry.aggregate([mine, ...theirs]).metrics();
}
