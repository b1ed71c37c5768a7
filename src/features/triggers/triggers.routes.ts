import { z } from 'zod';
import { idParams } from '../../platform/http/api-fields.ts';
import { pageOf, pageQuery, toPage } from '../../platform/http/page.ts';
import { defineRoute, type Operation, type Route } from '../../platform/http/route.ts';
import { triggerErrors } from './triggers.errors.ts';
import * as schema from './triggers.schema.ts';
import type { TriggersService } from './triggers.service.ts';

const COLLECTION = '/v1/triggers';
const TRIGGER = `${COLLECTION}/:id`;
const params = idParams('trigger');
const read = {
  tag: 'Triggers',
  scope: 'triggers:read',
  problems: [triggerErrors.notFound],
} satisfies Partial<Operation>;
const write = { ...read, scope: 'triggers:write' } satisfies Partial<Operation>;
const refused = [triggerErrors.urlRefused, triggerErrors.unknownSession, triggerErrors.notInPlan];

/** What to do when somebody writes a phrase. */
export function triggerRoutes(triggers: TriggersService): Route[] {
  return [...collectionRoutes(triggers), ...memberRoutes(triggers), secretRoute(triggers)];
}

function collectionRoutes(triggers: TriggersService): Route[] {
  return [
    defineRoute({
      ...write,
      method: 'POST',
      path: COLLECTION,
      operationId: 'createTrigger',
      summary: 'Create a trigger',
      description:
        'A received message fires the first trigger that matches, by priority: one that is enabled, for its session, within its hours, not cooling down for the sender, and, where it replies, with fewer than `max_in_a_row` replies to them. The reply is a message like others, marked `automated`, and the event `trigger.fired` tells of it. What you write yourself, and what another Pingr number answers automatically, fires nothing. A message that came in more than five minutes late raises the event without a reply. An account may have 200 triggers in each mode; those that are still to be asked when a message has taken half a second of processor time are left out, which takes dozens of very large regular expressions.',
      problems: [...refused, triggerErrors.tooMany],
      body: schema.newTriggerBody,
      answers: { 201: { description: 'The new trigger.', schema: schema.triggerWithSecretView } },
      handler: async ({ ctx, body: { sessions, ...settings } }) => {
        const { view, secret } = await triggers.create(ctx, { ...settings, session_ids: sessions });
        return { status: 201, body: { ...view, secret }, replayBody: { ...view, secret: null } };
      },
    }),
    defineRoute({
      ...read,
      method: 'GET',
      path: COLLECTION,
      operationId: 'listTriggers',
      summary: 'List triggers',
      problems: [],
      query: z.strictObject(pageQuery('trigger')),
      answers: {
        200: { description: 'A page of triggers.', schema: pageOf(schema.triggerView, 'TriggerList') },
      },
      handler: async ({ ctx, query }) => {
        const found = await triggers.list(ctx, { ...query, limit: query.limit + 1 });
        return { status: 200, body: toPage(found, query, 'trigger', ({ view }) => view) };
      },
    }),
  ];
}

function memberRoutes(triggers: TriggersService): Route[] {
  return [
    defineRoute({
      ...read,
      method: 'GET',
      path: TRIGGER,
      operationId: 'getTrigger',
      summary: 'Get a trigger',
      description: 'With how often it fired, and when last.',
      params,
      answers: { 200: { description: 'The trigger.', schema: schema.triggerView } },
      handler: async ({ ctx, params: { id } }) => ({ status: 200, body: await triggers.get(ctx, id) }),
    }),
    defineRoute({
      ...write,
      method: 'PATCH',
      path: TRIGGER,
      operationId: 'updateTrigger',
      summary: 'Change a trigger',
      description: 'Takes effect with the next message.',
      problems: [triggerErrors.notFound, ...refused],
      params,
      body: schema.triggerChangeBody,
      answers: { 200: { description: 'The trigger.', schema: schema.triggerView } },
      handler: async ({ ctx, params: { id }, body: { sessions, ...change } }) => ({
        status: 200,
        body: await triggers.update(ctx, id, { ...change, session_ids: sessions }),
      }),
    }),
    defineRoute({
      ...write,
      method: 'DELETE',
      path: TRIGGER,
      operationId: 'deleteTrigger',
      summary: 'Delete a trigger',
      params,
      answers: { 204: { description: 'The trigger is gone.' } },
      handler: async ({ ctx, params: { id } }) => {
        await triggers.remove(ctx, id);
        return { status: 204 };
      },
    }),
  ];
}

function secretRoute(triggers: TriggersService): Route {
  return defineRoute({
    ...write,
    method: 'GET',
    path: `${TRIGGER}/secret`,
    operationId: 'getTriggerSecret',
    summary: 'Reveal the secret of a trigger',
    params,
    answers: {
      200: {
        description: 'What questions to `reply_url` are signed with.',
        schema: schema.triggerSecretView,
      },
    },
    handler: async ({ ctx, params: { id } }) => ({
      status: 200,
      body: { secret: await triggers.secret(ctx, id) },
    }),
  });
}
