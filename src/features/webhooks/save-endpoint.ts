import type { Context } from '../../platform/context.ts';
import { newWebhookSecret } from '../../platform/crypto/webhook-signature.ts';
import type { AccountTx } from '../../platform/db/scope.ts';
import { pointerOf } from '../../platform/http/field-problems.ts';
import { requestErrors } from '../../platform/http/http.errors.ts';
import { isMasked, unmasked } from './custom-headers.ts';
import { hurryPending } from './deliveries.store.ts';
import { refuseNewUrl, takeEvents } from './endpoint-events.ts';
import { refuseUncallable } from './refuse-uncallable.ts';
import { type EndpointWithSecret, showEndpoint } from './show-endpoint.ts';
import { webhookErrors } from './webhooks.errors.ts';
import { headersOf, sealHeaders, sealSecret, type WebhookEndpointRow } from './webhooks.model.ts';
import type { EndpointView } from './webhooks.schema.ts';
import type { WebhooksDependencies } from './webhooks.service.ts';
import * as store from './webhooks.store.ts';

/** Endpoints that an account may have in one mode: every event looks at each of them. */
const MOST_ENDPOINTS = 50;

/** Deliveries that one statement makes due. */
const HURRY_BATCH = 5_000;

export interface NewEndpoint {
  url: string;
  description: string | null;
  events: readonly string[];
  /** UUIDs; null for all. */
  sessions: readonly string[] | null;
  headers: Record<string, string>;
  enabled: boolean;
  /** The customer's own; one is made where left out. */
  secret: string | undefined;
}

/** What is left out stays as it is. */
export type EndpointChange = { [K in keyof Omit<NewEndpoint, 'secret'>]?: NewEndpoint[K] | undefined };

export async function createEndpoint(
  deps: WebhooksDependencies,
  ctx: Context,
  endpoint: NewEndpoint,
): Promise<EndpointWithSecret> {
  const { database, vault, newUuid, randomBytes } = deps;
  const events = takeEvents(ctx, endpoint.events);
  await refuseUncallable(deps, ctx.mode, endpoint.url);
  const cipher = await vault.of(ctx.accountId);
  const id = newUuid();
  const secret = endpoint.secret ?? newWebhookSecret(randomBytes);
  const headers = sealHeaders(takeHeaders(endpoint.headers, {}), id, cipher);
  const row = await database.account(ctx, async (tx) => {
    await refuseBeyondPlan(ctx, tx);
    if ((await store.countEndpoints(tx, ctx.accountId, ctx.mode)) >= MOST_ENDPOINTS) throw tooMany();
    if (endpoint.sessions !== null) await refuseUnknownSessions(deps, tx, endpoint.sessions);
    return store.insertEndpoint(tx, {
      id,
      account_id: ctx.accountId,
      mode: ctx.mode,
      url: endpoint.url,
      description: textOf(endpoint.description),
      events,
      session_ids: endpoint.sessions && [...new Set(endpoint.sessions)],
      headers,
      secret: sealSecret(secret, id, cipher),
      enabled: endpoint.enabled,
    });
  });
  return { view: showEndpoint(row, cipher, deps.clock.now()), secret };
}

/** An endpoint that is switched on, or whose address changed, gets what waits for it at once. */
export async function changeEndpoint(
  deps: WebhooksDependencies,
  ctx: Context,
  id: string,
  change: EndpointChange,
): Promise<EndpointView> {
  const { database, vault, clock, wake } = deps;
  const cipher = await vault.of(ctx.accountId);
  // Before the transaction, which is too precious to wait for a name server.
  if (change.url !== undefined) {
    existing(await database.accountOnce(ctx, (tx) => store.findEndpoint(tx, id)));
    await refuseUncallable(deps, ctx.mode, change.url);
  }
  const { row, afresh } = await database.account(ctx, async (tx) => {
    const before = existing(await store.lockEndpoint(tx, id));
    if (change.sessions) await refuseUnknownSessions(deps, tx, change.sessions, before.session_ids ?? []);
    const headers =
      change.headers === undefined
        ? before.headers
        : sealHeaders(takeHeaders(change.headers, headersOf(before, cipher)), id, cipher);
    const events = change.events && takeEvents(ctx, change.events, before.events);
    const after = changed({ ...before, headers }, { ...change, events }, clock.now());
    if (after.url !== before.url) refuseNewUrl(ctx, after.events);
    if (after.enabled && !before.enabled) await refuseBeyondPlan(ctx, tx);
    const fresh = after.enabled && (!before.enabled || after.url !== before.url);
    return { row: await store.updateEndpoint(tx, after), afresh: fresh };
  });
  if (afresh) {
    const hurry = () => database.accountOnce(ctx, (tx) => hurryPending(tx, id, HURRY_BATCH));
    while ((await hurry()) === HURRY_BATCH);
    wake(id, ctx.mode);
  }
  return showEndpoint(row, cipher, clock.now());
}

/** The endpoint with everything changed but its headers. */
function changed(row: WebhookEndpointRow, change: EndpointChange, at: Date): WebhookEndpointRow {
  const { url = row.url, description, events, sessions, enabled = row.enabled } = change;
  const after = switched(row, enabled, at);
  const moved = url !== row.url;
  return {
    ...after,
    url,
    description: description === undefined ? row.description : textOf(description),
    events: events === undefined ? row.events : [...events],
    session_ids: sessions === undefined ? row.session_ids : sessions && [...new Set(sessions)],
    failing_since: moved ? null : after.failing_since,
    resting_until: moved ? null : after.resting_until,
    updated_at: at,
  };
}

/**
 * Why it was off, since when it failed and for how long it rests are about the past once somebody switches it. When it
 * was switched off stays: a replay of what it missed begins there.
 */
function switched(row: WebhookEndpointRow, enabled: boolean, at: Date): WebhookEndpointRow {
  if (enabled === row.enabled) return row;
  const change = { enabled, disabled_reason: null, resting_until: null };
  return enabled ? { ...row, ...change, failing_since: null } : { ...row, ...change, disabled_at: at };
}

/** What is new or switched on has to be in the plan; what is there already goes on. Test mode is free. */
async function refuseBeyondPlan({ mode }: Context, tx: AccountTx): Promise<void> {
  if (mode === 'live' && !(await store.planHasWebhooks(tx))) throw webhookErrors.notInPlan();
}

async function refuseUnknownSessions(
  { sessionProblems }: WebhooksDependencies,
  tx: AccountTx,
  ...named: [ids: readonly string[], known?: readonly string[]]
): Promise<void> {
  const fields = await sessionProblems(tx, ...named);
  if (fields.length > 0) throw webhookErrors.unknownSession({ fields });
}

/** @throws request.invalid where a masked value stands for none that is stored */
function takeHeaders(wanted: Record<string, string>, stored: Record<string, string>): Record<string, string> {
  const headers = unmasked(wanted, stored);
  const fields = Object.entries(headers).flatMap(([name, value]) =>
    isMasked(value)
      ? [{ pointer: pointerOf(['headers', name], 'body'), detail: 'is masked; send the whole value' }]
      : [],
  );
  if (fields.length > 0) throw requestErrors.invalid({ fields });
  return headers;
}

function tooMany(): Error {
  return webhookErrors.tooMany({ detail: `There are ${MOST_ENDPOINTS} already, which is the limit.` });
}

function textOf(description: string | null): string | null {
  return description === '' ? null : description;
}

/** @throws webhook_endpoint.not_found where there is none */
export function existing<Row extends WebhookEndpointRow>(row: Row | undefined): Row {
  if (row === undefined) throw webhookErrors.notFound();
  return row;
}
