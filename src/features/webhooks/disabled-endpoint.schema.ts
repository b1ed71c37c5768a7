import { z } from 'zod';
import { endpointView } from './webhooks.schema.ts';

/** The `data` of `webhook_endpoint.disabled`. */
export const disabledEndpointData = endpointView
  .partial()
  .required({
    id: true,
    mode: true,
    url: true,
    enabled: true,
    disabled_reason: true,
    disabled_at: true,
    resting_until: true,
    updated_at: true,
  })
  .extend({
    reason: z
      .enum(['gone', 'failing'])
      .meta({ description: 'Same as `disabled_reason`.', example: 'failing' }),
  })
  .loose()
  .meta({
    id: 'DisabledWebhookEndpoint',
    description:
      'A webhook endpoint that Pingr switched off, without its secret: the `data` of `webhook_endpoint.disabled`. That it is off, since when, why and at which address is as it was then. Of an endpoint that was deleted since, what is not required may be missing.',
  });
