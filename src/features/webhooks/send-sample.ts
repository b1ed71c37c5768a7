import type { Context } from '../../platform/context.ts';
import type { EventType } from '../events/events.events.ts';
import type { DeliveryRow } from './deliveries.model.ts';
import { insertSample } from './deliveries.store.ts';
import { existing } from './save-endpoint.ts';
import { webhookErrors } from './webhooks.errors.ts';
import type { WebhooksDependencies } from './webhooks.service.ts';
import { findEndpoint } from './webhooks.store.ts';

/** Makes a delivery of a sample, which then goes the way of all others, whatever types the endpoint asks for. */
export async function sendSample(
  { database, newUuid, clock, wake }: WebhooksDependencies,
  ctx: Context,
  endpointId: string,
  type: EventType,
): Promise<DeliveryRow> {
  const row = await database.account(ctx, async (tx) => {
    const endpoint = existing(await findEndpoint(tx, endpointId));
    if (!endpoint.enabled) throw webhookErrors.notEnabled();
    return insertSample(tx, {
      id: newUuid(),
      account_id: ctx.accountId,
      mode: ctx.mode,
      endpoint_id: endpointId,
      event_id: newUuid(),
      event_type: type,
      event_at: clock.now(),
    });
  });
  wake(endpointId, ctx.mode);
  return row;
}
