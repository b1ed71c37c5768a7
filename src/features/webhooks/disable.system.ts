import { type NewUuid, toId } from '../../lib/ids.ts';
import type { Mode } from '../../lib/mode.ts';
import type { SystemTx } from '../../platform/db/scope.ts';
import type { DisabledReason } from './webhooks.model.ts';

/** An endpoint that is to be switched off, by the lane that delivers to it. */
export interface Disabling {
  owner: string;
  endpointId: string;
  epoch: number;
  /** Where the attempt went that decided it: an endpoint that was moved since stays. */
  url: string;
  reason: DisabledReason;
  /** With `failing`: for how long every attempt must have failed, in milliseconds. */
  failingMs: number;
}

/** An endpoint that Pingr has just switched off. */
export interface DisabledEndpoint {
  id: string;
  accountId: string;
  mode: Mode;
  url: string;
  reason: DisabledReason;
  failingSince: Date | null;
  disabledAt: Date;
}

interface OffRow {
  account_id: string;
  mode: Mode;
  failing_since: Date | null;
  disabled_at: Date;
}

/** Switches an endpoint off and announces it. @returns `undefined` where it was off, moved, mended or taken over */
export async function disableEndpoint(
  tx: SystemTx,
  { owner, endpointId, epoch, url, reason, failingMs }: Disabling,
  newUuid: NewUuid,
): Promise<DisabledEndpoint | undefined> {
  const [row] = await tx.query<OffRow>(
    `with off as (
       update webhook_endpoints e set enabled = false, disabled_reason = $5, disabled_at = now(), updated_at = now()
       from webhook_lanes l
       where e.id = $2 and e.enabled and e.url = $4 and l.endpoint_id = e.id and l.owner = $1 and l.epoch = $3
         and ($5 <> 'failing' or e.failing_since <= now() - make_interval(secs => $6 / 1000.0))
       returning e.account_id, e.mode, e.failing_since, e.disabled_at
     )
     select off.*, app.announce($7, account_id, mode, 'webhook_endpoint.disabled', null, null,
       jsonb_build_object('id', $8::text, 'url', $4, 'reason', $5, 'failing_since', failing_since), now())
     from off`,
    [owner, endpointId, epoch, url, reason, failingMs, newUuid(), toId('webhookEndpoint', endpointId)],
  );
  if (row === undefined) return undefined;
  const { account_id: accountId, mode, failing_since: failingSince, disabled_at: disabledAt } = row;
  return { id: endpointId, accountId, mode, url, reason, failingSince, disabledAt };
}
