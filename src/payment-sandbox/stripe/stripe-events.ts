import type { SandboxContext } from '../sandbox-context.ts';

/** The version that the library of the day asks for. */
const API_VERSION = '2026-10-28.endive';
/** Events are kept to be listed. */
const KEPT_EVENTS = 500;

/** Says that something happened: a webhook, and a line in the list of events. */
export function emit({ state, newId, now, webhooks }: SandboxContext, type: string, object: object): void {
  const id = newId('evt_');
  const event = { id, object: 'event' as const, type, created: now() };
  state.stripe.events = [...state.stripe.events, event].slice(-KEPT_EVENTS);
  const envelope = {
    ...event,
    api_version: API_VERSION,
    livemode: false,
    pending_webhooks: 1,
    request: { id: null, idempotency_key: null },
    data: { object },
  };
  webhooks.send({ provider: 'stripe', eventId: id, text: JSON.stringify(envelope) });
}
