import { fromId, toId } from '../../lib/ids.ts';
import type { Cause } from '../../platform/context.ts';

/** What we write on a subscription at a provider: whose it is, and who started the checkout. */
interface CheckoutNotes {
  /** UUID. */
  accountId: string;
  startedBy: Cause;
}

/** As metadata of Stripe's and as notes of Razorpay's. No address or program of a person is handed out. */
export function writeNotes({ accountId, startedBy }: CheckoutNotes): Record<string, string> {
  const { actor, requestId } = startedBy;
  return {
    pingr_account: toId('account', accountId),
    ...(actor?.type === 'user' && { pingr_started_by: toId('user', actor.id) }),
    ...(actor?.type === 'api_key' && { pingr_started_by: toId('apiKey', actor.id) }),
    ...(requestId !== undefined && { pingr_request: requestId }),
  };
}

/** `undefined` for what is not there, or is none of ours. */
export function readNotes(notes: Record<string, string>): {
  accountId: string | undefined;
  startedBy: Cause | undefined;
} {
  const by = notes['pingr_started_by'] ?? '';
  const [user, key] = [fromId('user', by), fromId('apiKey', by)];
  const requestId = notes['pingr_request'];
  const request = requestId === undefined ? {} : { requestId };
  return {
    accountId: fromId('account', notes['pingr_account'] ?? ''),
    startedBy:
      (user && { actor: { type: 'user', id: user, role: '' }, ...request }) ||
      (key && { actor: { type: 'api_key', id: key }, ...request }) ||
      undefined,
  };
}
