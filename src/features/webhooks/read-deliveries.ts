import { PingrError } from '../../lib/errors.ts';
import { toId } from '../../lib/ids.ts';
import type { Context } from '../../platform/context.ts';
import type { AttemptRow, DeliveryRow } from './deliveries.model.ts';
import {
  type DeliveryList,
  endpointIsKnown,
  findDelivery,
  listAttempts,
  listDeliveries,
  type WaitingRow,
} from './deliveries.store.ts';
import { isEventType } from './event-types.ts';
import { samplePayload } from './sample-event.ts';
import { deliveryErrors, webhookErrors } from './webhooks.errors.ts';
import { responsePurpose } from './webhooks.model.ts';
import type { WebhooksDependencies } from './webhooks.service.ts';

/** An attempt with the start of what the receiver answered. */
export interface OpenAttempt extends AttemptRow {
  responseText: string | null;
}

export interface DeliveryDetail {
  row: WaitingRow;
  attempts: OpenAttempt[];
  /** What is sent; null where the caller may not see events, or the event is no longer kept. */
  payload: object | null;
}

/** @throws webhook_endpoint.not_found where there is and was no such endpoint */
export async function listDeliveriesOf(
  { database }: WebhooksDependencies,
  ctx: Context,
  list: DeliveryList,
): Promise<WaitingRow[]> {
  const rows = await database.accountOnce(ctx, (tx) => listDeliveries(tx, list));
  const known =
    rows.length > 0 || (await database.accountOnce(ctx, (tx) => endpointIsKnown(tx, list.endpointId)));
  if (!known) throw webhookErrors.notFound();
  return rows;
}

/** @throws delivery.not_found */
export async function getDelivery(
  { database, vault, events }: WebhooksDependencies,
  ctx: Context,
  id: string,
): Promise<DeliveryDetail> {
  const cipher = await vault.of(ctx.accountId);
  const [row, attempts] = await database.account(ctx, (tx) =>
    Promise.all([findDelivery(tx, id), listAttempts(tx, id)]),
  );
  if (row === undefined) throw deliveryErrors.notFound();
  return {
    row,
    attempts: attempts.map((attempt) => ({
      ...attempt,
      responseText:
        attempt.response === null
          ? null
          : readText(cipher.open(attempt.response, responsePurpose(attempt.id))),
    })),
    payload: await payloadOf({ events }, ctx, row),
  };
}

/** Events hold the content of messages, so that a key must have the scopes to see them. */
async function payloadOf(
  { events }: Pick<WebhooksDependencies, 'events'>,
  ctx: Context,
  row: DeliveryRow,
): Promise<object | null> {
  if (!ctx.scopes.has('*') && !ctx.scopes.has('events:read')) return null;
  const { event_id: eventId, event_type: type, event_at: at, mode, account_id: accountId } = row;
  if (row.sample) return isEventType(type) ? samplePayload({ eventId, type, at, mode, accountId }) : null;
  try {
    const { session_id, data, ...head } = await events.get(ctx, eventId);
    return { ...head, account_id: toId('account', accountId), session_id, data };
  } catch (error) {
    if (error instanceof PingrError && error.code === 'event.not_found') return null;
    throw error;
  }
}

/** Text that may have been cut in the middle of a character, or be no text at all. */
function readText(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes, { stream: true });
}
