import type { Mode } from '../../lib/mode.ts';
import type { AccountTx } from '../../platform/db/scope.ts';
import type { WebhookEndpointRow } from './webhooks.model.ts';

export type NewEndpointRow = Pick<
  WebhookEndpointRow,
  | 'id'
  | 'account_id'
  | 'mode'
  | 'url'
  | 'description'
  | 'events'
  | 'session_ids'
  | 'headers'
  | 'secret'
  | 'enabled'
>;

/** An endpoint with what it has not delivered, each counted up to 1,000. */
export interface EndpointDetailRow extends WebhookEndpointRow {
  pending: number;
  failed: number;
}

/** Endpoints of the account and mode. Others that count at the same time wait until this transaction ends. */
export async function countEndpoints(tx: AccountTx, accountId: string, mode: Mode): Promise<number> {
  await tx.query(
    `select pg_advisory_xact_lock(hashtextextended('webhook_endpoints/' || $1 || '/' || $2, 0))`,
    [accountId, mode],
  );
  const [row] = await tx.query<{ count: number }>('select count(*)::integer as count from webhook_endpoints');
  return row?.count ?? 0;
}

/** Whether the account's plan comes with webhook endpoints in live mode. */
export async function planHasWebhooks(tx: AccountTx): Promise<boolean> {
  const [row] = await tx.query<{ has: boolean }>(`select app.plan_has('webhooks') as has`);
  return row?.has === true;
}

export async function insertEndpoint(tx: AccountTx, endpoint: NewEndpointRow): Promise<WebhookEndpointRow> {
  const [row] = await tx.query<WebhookEndpointRow>(
    `insert into webhook_endpoints (id, account_id, mode, url, description, events, session_ids, headers, secret, enabled,
       disabled_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, case when $10 then null else now() end) returning *`,
    [
      endpoint.id,
      endpoint.account_id,
      endpoint.mode,
      endpoint.url,
      endpoint.description,
      endpoint.events,
      endpoint.session_ids,
      endpoint.headers,
      endpoint.secret,
      endpoint.enabled,
    ],
  );
  if (row === undefined) throw new Error('insert returned no endpoint');
  return row;
}

/** Newest first; `after` is the UUID of the last endpoint of the page before. */
export function listEndpoints(
  tx: AccountTx,
  page: { limit: number; after?: string | undefined },
): Promise<WebhookEndpointRow[]> {
  return tx.query<WebhookEndpointRow>(
    'select * from webhook_endpoints where $2::uuid is null or id < $2 order by id desc limit $1',
    [page.limit, page.after ?? null],
  );
}

export async function findEndpoint(tx: AccountTx, id: string): Promise<WebhookEndpointRow | undefined> {
  const [row] = await tx.query<WebhookEndpointRow>('select * from webhook_endpoints where id = $1', [id]);
  return row;
}

export function findEndpoints(tx: AccountTx, ids: readonly string[]): Promise<WebhookEndpointRow[]> {
  return tx.query<WebhookEndpointRow>('select * from webhook_endpoints where id = any($1::uuid[])', [ids]);
}

/** An endpoint, locked against other changes until the transaction ends. */
export async function lockEndpoint(tx: AccountTx, id: string): Promise<WebhookEndpointRow | undefined> {
  const [row] = await tx.query<WebhookEndpointRow>(
    'select * from webhook_endpoints where id = $1 for update',
    [id],
  );
  return row;
}

export async function findEndpointDetail(tx: AccountTx, id: string): Promise<EndpointDetailRow | undefined> {
  const backlog = (status: string) => `(select count(*)::integer from (
    select from webhook_deliveries d where d.endpoint_id = w.id and d.status = '${status}' limit 1000) as counted)`;
  const [row] = await tx.query<EndpointDetailRow>(
    `select w.*, ${backlog('pending')} as pending, ${backlog('failed')} as failed from webhook_endpoints w where id = $1`,
    [id],
  );
  return row;
}

/** Writes the settings and state of a locked endpoint. */
export async function updateEndpoint(
  tx: AccountTx,
  endpoint: WebhookEndpointRow,
): Promise<WebhookEndpointRow> {
  const [row] = await tx.query<WebhookEndpointRow>(
    `update webhook_endpoints set url = $2, description = $3, events = $4, session_ids = $5, headers = $6, enabled = $7,
       disabled_reason = $8, disabled_at = $9, failing_since = $10, resting_until = $11, updated_at = $12
     where id = $1 returning *`,
    [
      endpoint.id,
      endpoint.url,
      endpoint.description,
      endpoint.events,
      endpoint.session_ids,
      endpoint.headers,
      endpoint.enabled,
      endpoint.disabled_reason,
      endpoint.disabled_at,
      endpoint.failing_since,
      endpoint.resting_until,
      endpoint.updated_at,
    ],
  );
  if (row === undefined) throw new Error('the locked endpoint is gone');
  return row;
}

/** Ends the rest that its receiver asked for. @returns false where there is no such endpoint */
export async function endRest(tx: AccountTx, id: string): Promise<boolean> {
  const rows = await tx.query(
    'update webhook_endpoints set resting_until = null where id = $1 returning id',
    [id],
  );
  return rows.length > 0;
}

/** Puts a new secret in; the current one goes on until `until`, where that is said. */
export async function replaceSecret(
  tx: AccountTx,
  id: string,
  change: { secret: Uint8Array; previousUntil: Date | null; at: Date },
): Promise<WebhookEndpointRow | undefined> {
  const [row] = await tx.query<WebhookEndpointRow>(
    `update webhook_endpoints set secret = $2, previous_secret = case when $3::timestamptz is null then null else secret end,
       previous_secret_until = $3, updated_at = $4
     where id = $1 returning *`,
    [id, change.secret, change.previousUntil, change.at],
  );
  return row;
}

/** @returns false where there is no such endpoint */
export async function deleteEndpoint(tx: AccountTx, id: string): Promise<boolean> {
  const rows = await tx.query('delete from webhook_endpoints where id = $1 returning id', [id]);
  return rows.length > 0;
}
