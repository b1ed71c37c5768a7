import { defineErrors } from '../../lib/errors.ts';

export const webhookErrors = defineErrors({
  notFound: {
    code: 'webhook_endpoint.not_found',
    status: 404,
    title: 'No such webhook endpoint',
    remedy:
      'List endpoints with GET /v1/webhook-endpoints; a key sees only those of its own account and mode.',
  },
  urlRefused: {
    code: 'webhook_endpoint.url_refused',
    status: 422,
    title: 'The URL cannot be called',
    remedy:
      'Use a URL on a public address, in live mode with https. `errors` says what is wrong with this one.',
  },
  unknownSession: {
    code: 'webhook_endpoint.session_not_found',
    status: 422,
    title: 'The endpoint names a session that does not exist',
    remedy: 'List sessions with GET /v1/sessions; leave out `sessions` to get the events of all of them.',
  },
  notInPlan: {
    code: 'webhook_endpoint.not_in_plan',
    status: 403,
    title: 'The plan does not come with webhook endpoints in live mode',
    remedy:
      'Change the plan: GET /v1/plans says which have `webhooks` among their features. Test mode has them in every plan.',
  },
  eventsForbidden: {
    code: 'webhook_endpoint.events_forbidden',
    status: 403,
    title: 'The endpoint would be sent events that the caller may not see',
    remedy: 'Leave them out, or use a key or a member that has the scopes named in `errors`.',
  },
  tooMany: {
    code: 'webhook_endpoint.too_many',
    status: 409,
    title: 'The account has as many webhook endpoints of this mode as it may have',
    remedy: 'Delete one that is not needed, or let one endpoint take more types of events.',
  },
  notEnabled: {
    code: 'webhook_endpoint.not_enabled',
    status: 409,
    title: 'The webhook endpoint is disabled',
    remedy: 'Enable it with PATCH /v1/webhook-endpoints/:id and `{"enabled": true}`.',
  },
});

export const deliveryErrors = defineErrors({
  notFound: {
    code: 'delivery.not_found',
    status: 404,
    title: 'No such delivery',
    remedy:
      'List deliveries with GET /v1/webhook-endpoints/:id/deliveries; they are kept for a limited time.',
  },
  endpointGone: {
    code: 'delivery.endpoint_gone',
    status: 409,
    title: 'The webhook endpoint of the delivery was deleted',
    remedy: 'Create an endpoint and replay to it with `include_missing`.',
  },
});
