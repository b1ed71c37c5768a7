import { alertView } from '../features/abuse/abuse.schema.ts';
import { alertEvents } from '../features/abuse/show-alert-events.ts';
import { invoiceData, quotaData, subscriptionChangeData } from '../features/billing/billing-events.schema.ts';
import { billingEvents } from '../features/billing/show-billing-events.ts';
import type { EventSubject } from '../features/events/event-subjects.service.ts';
import type { EventData } from '../features/events/events.schema.ts';
import { messageView } from '../features/messages/messages.schema.ts';
import { sessionEvents } from '../features/sessions/show-status-changes.ts';
import { statusChangeData } from '../features/sessions/status-change.schema.ts';
import { firedTriggerData } from '../features/triggers/fired-trigger.schema.ts';
import { disabledEndpointData } from '../features/webhooks/disabled-endpoint.schema.ts';
import { endpointEvents } from '../features/webhooks/show-disabled-endpoints.ts';
import type { Core } from './core.ts';

/** What events are about besides messages, the same for whoever shows events: API, streams and webhooks. */
export function eventSubjects(parts: Pick<Core, 'database' | 'vault'>): EventSubject[] {
  return [sessionEvents(parts), ...billingEvents(parts), endpointEvents(parts), alertEvents];
}

/** What the data of events look like. */
export const EVENT_DATA: EventData = {
  'message.*': messageView,
  'trigger.fired': firedTriggerData(messageView),
  'session.status': statusChangeData,
  'webhook_endpoint.disabled': disabledEndpointData,
  'invoice.*': invoiceData,
  'subscription.changed': subscriptionChangeData,
  'quota.*': quotaData,
  'account.suspicious_activity': alertView,
};
