import type { Context } from '../../platform/context.ts';
import { newWebhookSecret } from '../../platform/crypto/webhook-signature.ts';
import { existing } from './save-endpoint.ts';
import { type EndpointWithSecret, showEndpoint } from './show-endpoint.ts';
import { sealSecret, secretsOf } from './webhooks.model.ts';
import type { WebhooksDependencies } from './webhooks.service.ts';
import { findEndpoint, replaceSecret } from './webhooks.store.ts';

/** What an endpoint signs with now. */
export interface EndpointSecrets {
  secret: string;
  /** The one before, and until when it signs as well. */
  previous: { secret: string; until: Date } | undefined;
}

export async function revealSecrets(
  { database, vault, clock }: WebhooksDependencies,
  ctx: Context,
  id: string,
): Promise<EndpointSecrets> {
  const cipher = await vault.of(ctx.accountId);
  const row = existing(await database.accountOnce(ctx, (tx) => findEndpoint(tx, id)));
  const [secret, previous] = secretsOf(row, cipher, clock.now());
  if (secret === undefined) throw new Error('the endpoint has no secret');
  const { previous_secret_until: until } = row;
  return {
    secret,
    previous: previous === undefined || until === null ? undefined : { secret: previous, until },
  };
}

/** Puts a new secret in the place of the current one, which goes on beside it for the overlap. */
export async function rotateSecret(
  { database, vault, clock, randomBytes }: WebhooksDependencies,
  ctx: Context,
  id: string,
  {
    overlapSeconds,
    secret = newWebhookSecret(randomBytes),
  }: { overlapSeconds: number; secret: string | undefined },
): Promise<EndpointWithSecret> {
  const cipher = await vault.of(ctx.accountId);
  const at = clock.now();
  const change = {
    at,
    secret: sealSecret(secret, id, cipher),
    previousUntil: overlapSeconds === 0 ? null : new Date(at.getTime() + overlapSeconds * 1000),
  };
  const row = existing(await database.accountOnce(ctx, (tx) => replaceSecret(tx, id, change)));
  return { view: showEndpoint(row, cipher, at), secret };
}
