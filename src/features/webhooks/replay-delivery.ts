import type { Context } from '../../platform/context.ts';
import type { DeliveryRow } from './deliveries.model.ts';
import { findDelivery } from './deliveries.store.ts';
import { replayOne } from './replay.store.ts';
import { deliveryErrors } from './webhooks.errors.ts';
import type { WebhooksDependencies } from './webhooks.service.ts';
import { endRest } from './webhooks.store.ts';

/** Sends one delivery again, under the same event id, though its receiver rests. @returns it as it now waits */
export async function replayDelivery(
  { database, wake }: WebhooksDependencies,
  ctx: Context,
  id: string,
): Promise<DeliveryRow> {
  const row = await database.account(ctx, async (tx) => {
    const found = await findDelivery(tx, id);
    if (found === undefined) throw deliveryErrors.notFound();
    const replayed = (await replayOne(tx, id)) ?? found;
    if (!(await endRest(tx, found.endpoint_id))) throw deliveryErrors.endpointGone();
    return replayed;
  });
  wake(row.endpoint_id, ctx.mode);
  return row;
}
