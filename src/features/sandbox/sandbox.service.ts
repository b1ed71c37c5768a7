import { z } from 'zod';
import { PingrError } from '../../lib/errors.ts';
import { fromId, toId } from '../../lib/ids.ts';
import { parsePhone } from '../../lib/phone.ts';
import type { Context } from '../../platform/context.ts';
import type { SessionRow, SessionsService } from '../sessions/sessions.service.ts';
import type { EmulatorClient } from './emulator-client.ts';
import { sandboxErrors } from './sandbox.errors.ts';
import * as schema from './sandbox.schema.ts';

/** Virtual phones of the caller's account. Numbers in any spelling. Throws sandbox.* problems. */
export interface SandboxService {
  createPhone(
    ctx: Context,
    phone: z.infer<typeof schema.newPhone>,
  ): Promise<z.input<typeof schema.phoneView>>;
  listPhones(ctx: Context): Promise<z.input<typeof schema.phoneList>>;
  getPhone(ctx: Context, phone: string): Promise<z.input<typeof schema.phoneView>>;
  changePhone(
    ctx: Context,
    phone: string,
    change: z.infer<typeof schema.phoneChange>,
  ): Promise<z.input<typeof schema.phoneView>>;
  /** Scans the QR code that the session shows. */
  scan(ctx: Context, phone: string, session: string): Promise<z.input<typeof schema.linkedView>>;
  typePairingCode(ctx: Context, phone: string, code: string): Promise<z.input<typeof schema.linkedView>>;
  inbox(
    ctx: Context,
    phone: string,
    page: z.infer<typeof schema.inboxQuery>,
  ): Promise<z.input<typeof schema.inboxView>>;
  write(
    ctx: Context,
    phone: string,
    message: z.infer<typeof schema.writeBody>,
  ): Promise<z.input<typeof schema.wroteView>>;
  read(
    ctx: Context,
    phone: string,
    body: z.infer<typeof schema.readBody>,
  ): Promise<z.input<typeof schema.readView>>;
  /** The user of the phone logs the session out. */
  removeDevice(ctx: Context, phone: string, session: string): Promise<void>;
}

/** Each account has a network of its own, so that nobody sees what others' sessions exchange with a number. */
export function realmOf(accountId: string): string {
  return toId('account', accountId);
}

interface SandboxParts {
  emulator: EmulatorClient | undefined;
  sessions: Pick<SessionsService, 'get' | 'qr'>;
}

export function createSandboxService(parts: SandboxParts): SandboxService {
  const realm = (ctx: Context) => openRealm(parts, ctx);
  return {
    createPhone: (ctx, body) => realm(ctx)({ method: 'POST', path: '/phones', body }, schema.phoneView),
    listPhones: (ctx) => realm(ctx)({ method: 'GET', path: '/phones' }, schema.phoneList),
    getPhone: (ctx, phone) => realm(ctx)({ method: 'GET', path: pathOf(phone) }, schema.phoneView),

    async changePhone(ctx, phone, { ban, cut, ...change }) {
      const call = realm(ctx);
      const body = {
        ...change,
        ...(ban !== undefined && {
          ban_device: await deviceOf(parts, ctx, { phone, session: ban, pointer: '/ban' }),
        }),
        ...(cut !== undefined && {
          cut_device: await deviceOf(parts, ctx, { phone, session: cut, pointer: '/cut' }),
        }),
      };
      return call({ method: 'PATCH', path: pathOf(phone), body }, schema.phoneView);
    },

    async scan(ctx, phone, session) {
      const call = realm(ctx);
      const { id } = await findSession(parts, ctx, session, '/session');
      const { qr } = await parts.sessions.qr(ctx, id);
      return call({ method: 'POST', path: `${pathOf(phone)}/scan`, body: { qr } }, schema.linkedView);
    },

    typePairingCode: (ctx, phone, code) => {
      const body = { code: code.replace('-', '') };
      return realm(ctx)({ method: 'POST', path: `${pathOf(phone)}/pairing-code`, body }, schema.linkedView);
    },

    inbox: (ctx, phone, { after, limit }) => {
      const query = new URLSearchParams({ limit: String(limit), ...(after !== undefined && { after }) });
      return realm(ctx)(
        { method: 'GET', path: `${pathOf(phone)}/messages?${query.toString()}` },
        schema.inboxView,
      );
    },

    write: (ctx, phone, body) =>
      realm(ctx)({ method: 'POST', path: `${pathOf(phone)}/messages`, body }, schema.wroteView),

    read: (ctx, phone, body) =>
      realm(ctx)({ method: 'POST', path: `${pathOf(phone)}/read`, body }, schema.readView),

    async removeDevice(ctx, phone, session) {
      const call = realm(ctx);
      const device = await deviceOf(parts, ctx, { phone, session, pointer: '{session}' });
      await call({ method: 'DELETE', path: `${pathOf(phone)}/devices/${device}` }, z.undefined());
    },
  };
}

type Call = <T>(
  request: { method: string; path: string; body?: unknown },
  answer: z.ZodType<T>,
) => Promise<T>;

/** Calls into the caller's own network of phones. @throws sandbox.test_key_needed, sandbox.unavailable */
function openRealm({ emulator }: SandboxParts, ctx: Context): Call {
  if (ctx.mode !== 'test') throw sandboxErrors.testOnly();
  if (emulator === undefined) throw sandboxErrors.unavailable();
  return (request, answer) => emulator.call(realmOf(ctx.accountId), request, answer);
}

async function findSession(
  { sessions }: SandboxParts,
  ctx: Context,
  publicId: string,
  pointer: string,
): Promise<SessionRow> {
  const id = fromId('session', publicId);
  const found = id === undefined ? undefined : await sessions.get(ctx, id).catch(unlessKnown);
  if (found !== undefined) return found;
  throw sandboxErrors.invalid({ fields: [{ pointer, detail: 'is not a session of this account and mode' }] });
}

function unlessKnown(error: unknown): undefined {
  if (error instanceof PingrError && error.definition.status === 404) return undefined;
  throw error;
}

/** Which of the phone's devices a session is. @throws sandbox.session_not_linked where it is none of them */
async function deviceOf(
  parts: SandboxParts,
  ctx: Context,
  { phone, session, pointer }: { phone: string; session: string; pointer: string },
): Promise<number> {
  const row = await findSession(parts, ctx, session, pointer);
  const asked = parsePhone(phone);
  if (row.device !== null && asked.ok && row.phone === asked.digits) return row.device;
  const detail = row.device === null ? `is ${row.status}, not linked` : 'is linked to another phone';
  throw sandboxErrors.sessionNotLinked({ fields: [{ pointer, detail }] });
}

function pathOf(phone: string): string {
  return `/phones/${encodeURIComponent(phone)}`;
}
