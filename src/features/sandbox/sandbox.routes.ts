import { z } from 'zod';
import type { ErrorFactory } from '../../lib/errors.ts';
import { defineRoute, type Operation, type Route } from '../../platform/http/route.ts';
import { sandboxErrors } from './sandbox.errors.ts';
import * as schema from './sandbox.schema.ts';
import type { SandboxService } from './sandbox.service.ts';

const PHONE = '/v1/sandbox/phones/:phone';
const phoneParams = z.object({
  phone: z
    .string()
    .max(40)
    .regex(/^[+(]?\d/)
    .meta({ description: 'Number of the phone.', example: '919876543210' }),
});
const common = {
  tag: 'Sandbox',
  scope: 'sandbox:write',
  problems: Object.values(sandboxErrors),
} satisfies Partial<Operation>;

/** Virtual phones, for test keys. @param qrProblems what keeps a session from showing a QR code */
export function sandboxRoutes(sandbox: SandboxService, qrProblems: readonly ErrorFactory[]): Route[] {
  return [...phoneRoutes(sandbox), ...linkRoutes(sandbox, qrProblems), ...messageRoutes(sandbox)];
}

function phoneRoutes(sandbox: SandboxService): Route[] {
  return [
    defineRoute({
      ...common,
      method: 'POST',
      path: '/v1/sandbox/phones',
      operationId: 'createSandboxPhone',
      summary: 'Create a virtual phone',
      body: schema.newPhone,
      answers: { 201: { description: 'The phone.', schema: schema.phoneView } },
      handler: async ({ ctx, body }) => ({ status: 201, body: await sandbox.createPhone(ctx, body) }),
    }),
    defineRoute({
      ...common,
      method: 'GET',
      path: '/v1/sandbox/phones',
      operationId: 'listSandboxPhones',
      summary: 'List virtual phones',
      answers: { 200: { description: 'The phones.', schema: schema.phoneList } },
      handler: async ({ ctx }) => ({ status: 200, body: await sandbox.listPhones(ctx) }),
    }),
    defineRoute({
      ...common,
      method: 'GET',
      path: PHONE,
      operationId: 'getSandboxPhone',
      summary: 'Get a virtual phone',
      params: phoneParams,
      answers: { 200: { description: 'The phone.', schema: schema.phoneView } },
      handler: async ({ ctx, params }) => ({ status: 200, body: await sandbox.getPhone(ctx, params.phone) }),
    }),
    defineRoute({
      ...common,
      method: 'PATCH',
      path: PHONE,
      operationId: 'changeSandboxPhone',
      summary: 'Change how a virtual phone behaves',
      description:
        'Takes it offline and online, sets how it treats messages, bans a session or cuts its connection.',
      params: phoneParams,
      body: schema.phoneChange,
      answers: { 200: { description: 'The phone.', schema: schema.phoneView } },
      handler: async ({ ctx, params, body }) => ({
        status: 200,
        body: await sandbox.changePhone(ctx, params.phone, body),
      }),
    }),
  ];
}

function linkRoutes(sandbox: SandboxService, qrProblems: readonly ErrorFactory[]): Route[] {
  const linked = { 200: { description: 'The session is linked.', schema: schema.linkedView } };
  return [
    defineRoute({
      ...common,
      method: 'POST',
      path: `${PHONE}/scan`,
      problems: [...common.problems, ...qrProblems],
      operationId: 'scanWithSandboxPhone',
      summary: 'Scan the QR code of a session',
      params: phoneParams,
      body: schema.scanBody,
      answers: linked,
      handler: async ({ ctx, params, body }) => ({
        status: 200,
        body: await sandbox.scan(ctx, params.phone, body.session),
      }),
    }),
    defineRoute({
      ...common,
      method: 'POST',
      path: `${PHONE}/pairing-code`,
      operationId: 'typePairingCodeOnSandboxPhone',
      summary: 'Type a pairing code',
      params: phoneParams,
      body: schema.codeBody,
      answers: linked,
      handler: async ({ ctx, params, body }) => ({
        status: 200,
        body: await sandbox.typePairingCode(ctx, params.phone, body.code),
      }),
    }),
    defineRoute({
      ...common,
      method: 'DELETE',
      path: `${PHONE}/devices/:session`,
      operationId: 'removeSandboxDevice',
      summary: 'Log a linked session out on the phone',
      params: phoneParams.extend({
        session: z
          .string()
          .meta({ description: 'Session to log out.', example: 'ses_01h455vb4pex5vsknk084sn02q' }),
      }),
      answers: { 204: { description: 'The session is logged out.' } },
      handler: async ({ ctx, params }) => {
        await sandbox.removeDevice(ctx, params.phone, params.session);
        return { status: 204 };
      },
    }),
  ];
}

function messageRoutes(sandbox: SandboxService): Route[] {
  return [
    defineRoute({
      ...common,
      method: 'GET',
      path: `${PHONE}/messages`,
      operationId: 'listSandboxMessages',
      summary: "List a virtual phone's messages",
      params: phoneParams,
      query: schema.inboxQuery,
      answers: { 200: { description: 'Messages, as the phone decrypted them.', schema: schema.inboxView } },
      handler: async ({ ctx, params, query }) => ({
        status: 200,
        body: await sandbox.inbox(ctx, params.phone, query),
      }),
    }),
    defineRoute({
      ...common,
      method: 'POST',
      path: `${PHONE}/messages`,
      operationId: 'writeFromSandboxPhone',
      summary: 'Write to a session from a virtual phone',
      params: phoneParams,
      body: schema.writeBody,
      answers: { 201: { description: 'The message is on its way.', schema: schema.wroteView } },
      handler: async ({ ctx, params, body }) => ({
        status: 201,
        body: await sandbox.write(ctx, params.phone, body),
      }),
    }),
    defineRoute({
      ...common,
      method: 'POST',
      path: `${PHONE}/read`,
      operationId: 'readOnSandboxPhone',
      summary: 'Read messages on a virtual phone',
      params: phoneParams,
      body: schema.readBody,
      answers: { 200: { description: 'What was read.', schema: schema.readView } },
      handler: async ({ ctx, params, body }) => ({
        status: 200,
        body: await sandbox.read(ctx, params.phone, body),
      }),
    }),
  ];
}
