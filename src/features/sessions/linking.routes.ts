import { z } from 'zod';
import { idParams } from '../../platform/http/api-fields.ts';
import { requestErrors } from '../../platform/http/http.errors.ts';
import { defineRoute, defineStream, type Route } from '../../platform/http/route.ts';
import { drawQr, QR_MEDIA, qrFormat } from './qr-image.ts';
import type { SessionChanges } from './session-changes.ts';
import { sessionErrors } from './sessions.errors.ts';
import * as schema from './sessions.schema.ts';
import type { SessionsService } from './sessions.service.ts';
import { showQr, watchSession } from './watch-session.ts';

const params = idParams('session');
const common = { tag: 'Sessions', scope: 'sessions:write' } as const;
const binary = z.string().meta({ description: 'The QR code, drawn.' });

/** What keeps a session from showing a QR code. */
export const qrProblems = [sessionErrors.alreadyLinked, sessionErrors.noQr, sessionErrors.notReady];

/** Linking a number: QR codes, pairing codes, and a stream to follow both. */
export function linkingRoutes(sessions: SessionsService, changes: SessionChanges): Route[] {
  return [qrRoute(sessions), pairingRoute(sessions), streamRoute(sessions, changes)];
}

function qrRoute(sessions: SessionsService): Route {
  return defineRoute({
    ...common,
    method: 'GET',
    path: '/v1/sessions/:id/qr',
    operationId: 'getSessionQr',
    summary: 'Get the QR code to scan',
    description:
      'As JSON, PNG, SVG or text, by `Accept` or `?format=`. WhatsApp replaces it every 20 to 60 seconds.',
    problems: [sessionErrors.notFound, requestErrors.notAcceptable, ...qrProblems],
    params,
    query: schema.qrQuery,
    answers: {
      200: {
        description: 'The code, and in `expires-at` when it ends.',
        schema: schema.qrView,
        media: { [QR_MEDIA.png]: binary, [QR_MEDIA.svg]: binary, [QR_MEDIA.text]: binary },
        headers: { 'expires-at': 'When the code ends (ISO 8601).' },
      },
    },
    handler: async ({ ctx, params: { id }, query, http }) => {
      const row = await sessions.qr(ctx, id);
      const headers = { 'expires-at': row.qr_expires_at.toISOString() };
      const format = qrFormat(query.format, http.accept);
      if (format === 'json') return { status: 200, headers, body: showQr(row) };
      return { status: 200, headers, media: QR_MEDIA[format], bytes: await drawQr(row.qr, format) };
    },
  });
}

function pairingRoute(sessions: SessionsService): Route {
  return defineRoute({
    ...common,
    method: 'POST',
    path: '/v1/sessions/:id/pairing-code',
    operationId: 'createPairingCode',
    summary: 'Get a pairing code to type on the phone',
    problems: [
      sessionErrors.notFound,
      sessionErrors.alreadyLinked,
      sessionErrors.notReady,
      sessionErrors.notPairing,
      sessionErrors.pairingReplaced,
      sessionErrors.pairingFailed,
    ],
    timeoutMs: 40_000,
    idempotency: 'none',
    params,
    body: schema.pairingBody,
    answers: { 200: { description: 'The code.', schema: schema.pairingView } },
    handler: async ({ ctx, params: { id }, body }) => {
      const code = await sessions.pairingCode(ctx, id, body.phone);
      return { status: 200, body: { code, phone: `+${body.phone}` } };
    },
  });
}

function streamRoute(sessions: SessionsService, changes: SessionChanges): Route {
  return defineStream({
    ...common,
    path: '/v1/sessions/:id/events',
    operationId: 'streamSession',
    summary: "Follow a session's QR codes and status",
    problems: [sessionErrors.notFound],
    params,
    description:
      'Sends `status` when the status or its reason changes and `qr` for each code, the current ones first. Ends with `deleted` once the session is.',
    events: { status: schema.sessionView, qr: schema.qrView, deleted: schema.deletedView },
    open: async ({ ctx, params: { id }, http }) => {
      await sessions.get(ctx, id);
      return watchSession({ sessions, changes }, ctx, id, http.signal);
    },
  });
}
