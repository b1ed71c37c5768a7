import type { Mode } from '../../lib/mode.ts';
import { OutboundError } from '../../platform/net/outbound-http.ts';
import { webhookErrors } from './webhooks.errors.ts';
import type { WebhooksDependencies } from './webhooks.service.ts';

/** What to tell about an address that was refused, by reason. */
const DETAILS: Record<string, string> = {
  invalid_url: 'is not a URL that can be called',
  https_required: 'must begin with https://',
  blocked_address: 'leads to an address that is not public',
};

/** @throws webhook_endpoint.url_refused where endpoints of the mode cannot have this address */
export async function refuseUncallable(
  { outbound, policyFor }: Pick<WebhooksDependencies, 'outbound' | 'policyFor'>,
  mode: Mode,
  url: string,
): Promise<void> {
  try {
    await outbound.check(url, policyFor(mode));
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error;
    const detail = DETAILS[error.reason] ?? `cannot be called (${error.reason})`;
    throw webhookErrors.urlRefused({
      detail: `The URL ${detail}.`,
      fields: [{ pointer: '/url', detail }],
      cause: error,
    });
  }
}
