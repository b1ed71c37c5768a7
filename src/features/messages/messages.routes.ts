import { z } from 'zod';
import { idParams, refuseEmptyRange } from '../../platform/http/api-fields.ts';
import { pageOf, pageQuery, toPage } from '../../platform/http/page.ts';
import { defineRoute, type Operation, type Route } from '../../platform/http/route.ts';
import { messageErrors } from './messages.errors.ts';
import * as schema from './messages.schema.ts';
import type { MessagesService } from './messages.service.ts';
import type { SendInput } from './send-message.ts';

const sendErrors = [
  messageErrors.unknownSession,
  messageErrors.sessionMissing,
  messageErrors.sessionNotLinked,
  messageErrors.contextNotFound,
  messageErrors.quotaReached,
];
const common = { tag: 'Messages' } satisfies Partial<Operation>;
const write = { ...common, scope: 'messages:write', problems: sendErrors } satisfies Partial<Operation>;

/** Sending and looking at messages. */
export function messageRoutes(messages: MessagesService): Route[] {
  return [sendRoute(messages), quickSendRoute(messages), ...readRoutes(messages)];
}

function sendRoute(messages: MessagesService): Route {
  return defineRoute({
    ...write,
    method: 'POST',
    path: '/v1/messages',
    operationId: 'sendMessage',
    summary: 'Send a message',
    description:
      'Answers as soon as the message is stored. From then on it is sent exactly once, whatever fails.',
    idempotency: 'own',
    body: schema.sendMessageBody,
    answers: { 202: { description: 'The message is accepted.', schema: schema.messageView } },
    handler: async ({ ctx, body, http }) => {
      const sent = await messages.send(ctx, {
        sessionId: body.session,
        to: body.to,
        text: body.text.body,
        contextMessageId: body.context?.message_id,
        idempotency: keepAnswer(http.idempotency, 202, (message) => message),
      });
      return sent.replay ? { replay: sent.replay } : { status: 202, body: sent.message };
    },
  });
}

function quickSendRoute(messages: MessagesService): Route {
  return defineRoute({
    ...write,
    method: 'POST',
    path: '/v1/send',
    operationId: 'quickSend',
    summary: 'Send a text with two fields',
    description: 'The call that Hey Pingr documents.',
    idempotency: 'own',
    body: schema.quickSendBody,
    answers: { 200: { description: 'The message is accepted.', schema: schema.quickSendView } },
    handler: async ({ ctx, body, http }) => {
      const answer = (message: schema.MessageView) => ({
        success: true as const,
        message_id: message.id,
        to: body.to,
        session_id: message.session,
        rate_limit_remaining: http.rateLimit.remaining,
      });
      const sent = await messages.send(ctx, {
        sessionPointer: '/session_id',
        sessionId: body.session_id,
        to: body.to,
        text: body.message,
        contextMessageId: undefined,
        idempotency: keepAnswer(http.idempotency, 200, answer),
      });
      return sent.replay ? { replay: sent.replay } : { status: 200, body: answer(sent.message) };
    },
  });
}

/** What makes a repeat of the request get the first answer. */
function keepAnswer(
  request: { key: string; requestHash: Uint8Array } | undefined,
  status: number,
  answer: (message: schema.MessageView) => object,
): SendInput['idempotency'] {
  return request && { ...request, answer: (message) => ({ status, text: JSON.stringify(answer(message)) }) };
}

function readRoutes(messages: MessagesService): Route[] {
  return [
    defineRoute({
      ...common,
      method: 'GET',
      path: '/v1/messages/:id',
      operationId: 'getMessage',
      summary: 'Get a message',
      description: 'With a time for each step that it has taken.',
      scope: 'messages:read',
      problems: [messageErrors.notFound],
      params: idParams('message'),
      answers: { 200: { description: 'The message.', schema: schema.messageView } },
      handler: async ({ ctx, params }) => ({ status: 200, body: await messages.get(ctx, params.id) }),
    }),
    defineRoute({
      ...common,
      method: 'GET',
      path: '/v1/messages',
      operationId: 'listMessages',
      summary: 'List messages',
      scope: 'messages:read',
      query: z
        .strictObject({ ...schema.messageFilter.shape, ...pageQuery('message') })
        .superRefine(refuseEmptyRange),
      answers: {
        200: { description: 'A page of messages.', schema: pageOf(schema.messageView, 'MessageList') },
      },
      handler: async ({ ctx, query }) => {
        const { session, contact, limit, ...filter } = query;
        const found = await messages.list(ctx, {
          ...filter,
          sessionId: session,
          contactPhone: contact,
          limit: limit + 1,
        });
        return { status: 200, body: toPage(found, query, 'message', ({ message }) => message) };
      },
    }),
  ];
}
