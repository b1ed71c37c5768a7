import { createBatchWriter } from '../../lib/batch-writer.ts';
import type { Database } from '../../platform/db/database.ts';
import {
  type ClaimAsk,
  type ClaimedDelivery,
  type ClaimedEndpoint,
  type ClaimRow,
  claimDeliveries,
} from './claim.system.ts';
import { buildPayloads, type Payload } from './delivery-payload.ts';
import { isPassing } from './passing-trouble.ts';

type PayloadParts = Parameters<typeof buildPayloads>[0];

/** What a lane gets. */
export interface Claimed {
  endpoint: ClaimedEndpoint;
  deliveries: ClaimedDelivery[];
  /** Payloads by the event's UUID. Rejects while the database is in trouble: the deliveries must then be given back. */
  payloads: Promise<Map<string, Payload>>;
  /** Milliseconds of rest that the receiver still wants; 0 where it wants none. */
  restMs: number;
  /** Milliseconds until the next of those that were left is due; null where none is left. */
  nextMs: number | null;
}

/** Claims for a lane; `lost` where it is no longer this worker's. Rejects where it is not known what was claimed. */
export type Claim = (ask: ClaimAsk) => Promise<Claimed | 'lost'>;

const MOST_LANES = 200;

/**
 * Lanes that claim at about the same time share one statement, and the lanes of one account share the payloads of the
 * events that they have in common.
 */
export function createClaim(
  parts: PayloadParts & { database: Pick<Database, 'systemOnce'>; owner: string },
): Claim {
  const { database, owner } = parts;
  const writer = createBatchWriter<ClaimAsk, Claimed | 'lost'>({
    maxSize: MOST_LANES,
    async writeBatch(asks) {
      const rows = await database.systemOnce((tx) => claimDeliveries(tx, owner, asks));
      const claims = new Map(withPayloads(parts, rows));
      return asks.map((ask) => claims.get(keyOf(ask.endpointId, ask.epoch)) ?? 'lost');
    },
    isFaultOfItems: (error) => !isPassing(error),
  });
  return (ask) => writer.write(ask);
}

function withPayloads(parts: PayloadParts, rows: readonly ClaimRow[]): [string, Claimed][] {
  const taken = new Map<string, ClaimedDelivery[]>();
  for (const row of rows) {
    taken.set(row.account_id, [...(taken.get(row.account_id) ?? []), ...(row.taken ?? [])]);
  }
  const payloads = new Map<string, Promise<Map<string, Payload>>>();
  for (const [accountId, deliveries] of taken) {
    const built = buildPayloads(parts, accountId, deliveries);
    // Lanes that got nothing never look.
    built.catch(() => undefined);
    payloads.set(accountId, built);
  }
  return rows.map((row) => [
    keyOf(row.id, Number(row.epoch)),
    {
      endpoint: row,
      deliveries: row.taken ?? [],
      payloads: payloads.get(row.account_id) ?? Promise.resolve(new Map()),
      restMs: row.resting_ms ?? 0,
      nextMs: row.next_ms,
    },
  ]);
}

function keyOf(endpointId: string, epoch: number): string {
  return `${endpointId}/${epoch}`;
}
