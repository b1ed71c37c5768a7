import { fromId } from '../../lib/ids.ts';
import type { Vault } from '../../platform/crypto/vault.ts';
import type { Database } from '../../platform/db/database.ts';
import type { EventSubject, StoredFact } from '../events/event-subjects.service.ts';
import { showEndpoint } from './show-endpoint.ts';
import type { EndpointView } from './webhooks.schema.ts';
import { findEndpoints } from './webhooks.store.ts';

interface EndpointEventParts {
  database: Pick<Database, 'accountOnce'>;
  vault: Pick<Vault, 'of'>;
}

/** How events about endpoints look: headers masked and without secret, as the API shows endpoints. */
export function endpointEvents({ database, vault }: EndpointEventParts): EventSubject {
  return {
    types: ['webhook_endpoint.disabled'],
    fromFact: (fact) => asItWas(fact),
    async show(ctx, facts) {
      const ids = facts.flatMap((fact) => endpointOf(fact) ?? []);
      const [rows, cipher] = await Promise.all([
        database.accountOnce(ctx, (tx) => findEndpoints(tx, [...new Set(ids)])),
        vault.of(ctx.accountId),
      ]);
      const endpoints = new Map(rows.map((row) => [row.id, row]));
      return facts.map((fact) => {
        const row = endpoints.get(endpointOf(fact) ?? '');
        return asItWas(fact, row && showEndpoint(row, cipher, fact.created_at));
      });
    },
  };
}

/** @returns the UUID of the endpoint that a fact is about */
function endpointOf({ data: { id } }: StoredFact): string | undefined {
  return typeof id === 'string' ? fromId('webhookEndpoint', id) : undefined;
}

/** The endpoint's present view, switched off as it then was: it may be on again, and at another address. */
function asItWas({ data, mode, created_at }: StoredFact, now?: EndpointView): object {
  const { failing_since: since } = data;
  const at = created_at.toISOString();
  return {
    ...now,
    ...data,
    mode,
    enabled: false,
    disabled_reason: data['reason'],
    disabled_at: at,
    updated_at: at,
    resting_until: null,
    ...(typeof since === 'string' && { failing_since: new Date(since).toISOString() }),
  };
}
