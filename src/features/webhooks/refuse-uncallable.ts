import type { Mode } from '../../lib/mode.ts';
import { describeUrlRefusal, OutboundError } from '../../platform/net/outbound-error.ts';
import { webhookErrors } from './webhooks.errors.ts';
import type { WebhooksDependencies } from './webhooks.service.ts';

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
    const detail = describeUrlRefusal(error);
    throw webhookErrors.urlRefused({
      detail: `The URL ${detail}.`,
      fields: [{ pointer: '/url', detail }],
      cause: error,
    });
  }
}
