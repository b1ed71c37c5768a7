import type { Context } from '../../platform/context.ts';
import { isUnavailable } from '../../platform/db/db.errors.ts';
import { cancelUnfinished } from './deliveries.store.ts';
import { isPassing } from './passing-trouble.ts';
import { webhookErrors } from './webhooks.errors.ts';
import type { WebhooksDependencies } from './webhooks.service.ts';
import { deleteEndpoint } from './webhooks.store.ts';

/** Deliveries that one statement cancels. */
const CANCEL_BATCH = 5_000;
const MOST_TRIES = 3;

/** Deletes an endpoint and cancels what it has not got. @throws webhook_endpoint.not_found */
export async function removeEndpoint(
  { database }: WebhooksDependencies,
  ctx: Context,
  id: string,
): Promise<void> {
  // First, so that no new delivery is made; what a crash leaves of the rest is found by the upkeep.
  const deleted = await retried(() => database.accountOnce(ctx, (tx) => deleteEndpoint(tx, id)));
  if (!deleted) throw webhookErrors.notFound();
  const cancel = () => database.accountOnce(ctx, (tx) => cancelUnfinished(tx, id, CANCEL_BATCH));
  while ((await cancel()) === CANCEL_BATCH);
}

/** A deletion locks the endpoint before its lane, a worker the other way round: Postgres ends one of the two. */
async function retried<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (tries === MOST_TRIES || isUnavailable(error) || !isPassing(error)) throw error;
    }
  }
}
