import { idParams } from '../../platform/http/api-fields.ts';
import { pageOf, toPage } from '../../platform/http/page.ts';
import { defineRoute, defineStream, type Operation, type Route } from '../../platform/http/route.ts';
import { eventErrors } from './events.errors.ts';
import { type EventData, eventListQuery, eventStreamQuery, eventView } from './events.schema.ts';
import type { EventsService } from './events.service.ts';

const common = { tag: 'Events', scope: 'events:read' } satisfies Partial<Operation>;

const HIDDEN =
  'Events about payment (`subscription.…`, `invoice.…`) need the scope `billing:read` as well, those about webhook endpoints `webhooks:read`; to others they are not there.';

/**
 * Reading and following events.
 * @param data schemas of what events are about, from the slices that announce them
 */
export function eventRoutes(events: EventsService, data: EventData): Route[] {
  const view = eventView(data);
  return [
    defineRoute({
      ...common,
      method: 'GET',
      path: '/v1/events',
      operationId: 'listEvents',
      summary: 'List events',
      description: `Newest first. Events hold what they are about, the content of messages for one. ${HIDDEN}`,
      query: eventListQuery,
      answers: { 200: { description: 'A page of events.', schema: pageOf(view, 'EventList') } },
      handler: async ({ ctx, query }) => {
        const { type, session, message, limit, ...rest } = query;
        const list = { ...rest, types: type, sessionId: session, messageId: message, limit: limit + 1 };
        return {
          status: 200,
          body: toPage(await events.list(ctx, list), query, 'event', (found) => found.view),
        };
      },
    }),
    defineRoute({
      ...common,
      method: 'GET',
      path: '/v1/events/:id',
      operationId: 'getEvent',
      summary: 'Get an event',
      description: HIDDEN,
      problems: [eventErrors.notFound],
      params: idParams('event'),
      answers: { 200: { description: 'The event.', schema: view } },
      handler: async ({ ctx, params }) => ({ status: 200, body: await events.get(ctx, params.id) }),
    }),
    streamRoute(events, view),
  ];
}

function streamRoute(events: EventsService, view: ReturnType<typeof eventView>): Route {
  return defineStream({
    ...common,
    path: '/v1/events/stream',
    operationId: 'streamEvents',
    summary: 'Follow events as they happen',
    description: `Each event once and in order. After a lost connection send the last id as \`Last-Event-ID\` (browsers do) and the stream continues there. ${HIDDEN}`,
    problems: [eventErrors.cannotContinue],
    query: eventStreamQuery,
    events: { event: view },
    open: ({ ctx, query, http }) =>
      events.follow(ctx, {
        filter: { types: query.type, sessionId: query.session },
        lastEventId: http.lastEventId,
        signal: http.signal,
      }),
  });
}
