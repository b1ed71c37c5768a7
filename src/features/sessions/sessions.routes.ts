import { z } from 'zod';
import { idParams } from '../../platform/http/api-fields.ts';
import { pageOf, pageQuery, toPage } from '../../platform/http/page.ts';
import { defineRoute, type Operation, type Route } from '../../platform/http/route.ts';
import { sessionErrors } from './sessions.errors.ts';
import * as schema from './sessions.schema.ts';
import type { SessionsService } from './sessions.service.ts';
import { showSession } from './show-session.ts';

const SESSION = '/v1/sessions/:id';
const params = idParams('session');
const session = { description: 'The session.', schema: schema.sessionView };
const read = {
  tag: 'Sessions',
  scope: 'sessions:read',
  problems: [sessionErrors.notFound],
} satisfies Partial<Operation>;
const write = { ...read, scope: 'sessions:write' } satisfies Partial<Operation>;

/** Linked numbers. */
export function sessionRoutes(sessions: SessionsService): Route[] {
  return [...collectionRoutes(sessions), ...memberRoutes(sessions), ...actionRoutes(sessions)];
}

function collectionRoutes(sessions: SessionsService): Route[] {
  return [
    defineRoute({
      ...write,
      method: 'POST',
      path: '/v1/sessions',
      operationId: 'createSession',
      summary: 'Create a session',
      description: 'Then link a number: by QR code, by pairing code, or with a test key by `auto_pair`.',
      problems: [sessionErrors.autoPairLive, sessionErrors.limitReached],
      body: schema.newSessionBody,
      answers: { 201: session },
      handler: async ({ ctx, body }) => {
        const input = { name: body.name, autoPair: body.auto_pair, pacing: body.pacing ?? null };
        return { status: 201, body: showSession(await sessions.create(ctx, input)) };
      },
    }),
    defineRoute({
      ...read,
      method: 'GET',
      path: '/v1/sessions',
      operationId: 'listSessions',
      summary: 'List sessions',
      query: z.strictObject(pageQuery('session')),
      answers: {
        200: { description: 'A page of sessions.', schema: pageOf(schema.sessionView, 'SessionList') },
      },
      handler: async ({ ctx, query }) => {
        const rows = await sessions.list(ctx, { ...query, limit: query.limit + 1 });
        return { status: 200, body: toPage(rows, query, 'session', showSession) };
      },
    }),
  ];
}

function memberRoutes(sessions: SessionsService): Route[] {
  return [
    defineRoute({
      ...read,
      method: 'GET',
      path: SESSION,
      operationId: 'getSession',
      summary: 'Get a session',
      params,
      answers: { 200: session },
      handler: async ({ ctx, params: { id } }) => ({
        status: 200,
        body: showSession(await sessions.get(ctx, id)),
      }),
    }),
    defineRoute({
      ...write,
      method: 'PATCH',
      path: SESSION,
      operationId: 'updateSession',
      summary: "Change a session's name or pacing",
      params,
      body: schema.sessionChangeBody,
      answers: { 200: session },
      handler: async ({ ctx, params: { id }, body }) => ({
        status: 200,
        body: showSession(await sessions.update(ctx, id, body)),
      }),
    }),
    defineRoute({
      ...write,
      method: 'DELETE',
      path: SESSION,
      operationId: 'deleteSession',
      summary: 'Log a session out and delete it',
      description: 'Messages that it still had to send fail; those sent and received stay.',
      params,
      answers: { 204: { description: 'The session is gone.' } },
      handler: async ({ ctx, params: { id } }) => {
        await sessions.remove(ctx, id);
        return { status: 204 };
      },
    }),
  ];
}

function actionRoutes(sessions: SessionsService): Route[] {
  return [
    defineRoute({
      ...write,
      method: 'POST',
      path: `${SESSION}/restart`,
      operationId: 'restartSession',
      summary: 'Reconnect a session',
      description:
        'A session that was logged out, banned or replaced starts afresh and shows a new QR code if needed.',
      params,
      answers: { 200: session },
      handler: async ({ ctx, params: { id } }) => ({
        status: 200,
        body: showSession(await sessions.restart(ctx, id)),
      }),
    }),
    defineRoute({
      ...write,
      method: 'POST',
      path: `${SESSION}/logout`,
      operationId: 'logoutSession',
      summary: 'Unlink the number',
      params,
      answers: { 200: session },
      handler: async ({ ctx, params: { id } }) => ({
        status: 200,
        body: showSession(await sessions.logout(ctx, id)),
      }),
    }),
  ];
}
