import { toId } from '../../lib/ids.ts';
import type { AccountCipher } from '../../platform/crypto/vault.ts';
import { maskValue } from './custom-headers.ts';
import { headersOf, type WebhookEndpointRow } from './webhooks.model.ts';
import type { EndpointView } from './webhooks.schema.ts';

/** An endpoint with the secret that it signs with from now on. */
export interface EndpointWithSecret {
  view: EndpointView;
  secret: string;
}

/**
 * A stored endpoint as the API shows it: headers masked, without its secret.
 * @param now what ends before it is not shown
 */
export function showEndpoint(row: WebhookEndpointRow, cipher: AccountCipher, now: Date): EndpointView {
  const ahead = (at: Date | null) => (at !== null && at > now ? at.toISOString() : null);
  const headers = Object.entries(headersOf(row, cipher));
  return {
    id: toId('webhookEndpoint', row.id),
    mode: row.mode,
    url: row.url,
    description: row.description,
    events: row.events,
    sessions: row.session_ids?.map((id) => toId('session', id)) ?? null,
    headers: Object.fromEntries(headers.map(([name, value]) => [name, maskValue(value)])),
    enabled: row.enabled,
    disabled_reason: row.disabled_reason,
    disabled_at: row.disabled_at?.toISOString() ?? null,
    failing_since: row.failing_since?.toISOString() ?? null,
    resting_until: row.enabled ? ahead(row.resting_until) : null,
    previous_secret_until: ahead(row.previous_secret_until),
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}
