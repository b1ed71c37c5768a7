import { z } from 'zod';
import { fromId, toId } from '../../lib/ids.ts';
import type { Context } from '../../platform/context.ts';
import type { SessionRow, SessionsService } from '../sessions/sessions.service.ts';
import type { EmulatorClient } from './emulator-client.ts';
import { sandboxErrors } from './sandbox.errors.ts';
import * as schema from './sandbox.schema.ts';

/** Virtual phones of the caller's account. Numbers in any spelling. Throws sandbox.* problems. */
export interface SandboxService {
  createPhone(ctx: Context, phone: z.infer<typeof schema.newPhone>): Promise<z.input<typeof schema.phoneView>>;
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
  write(ctx: Context, phone: string, message: z.infer<typeof schema.writeBody>): Promise<z.input<typeof schema.wroteView>>;
  read(ctx: Context, phone: string, body: z.infer<typeof schema.readBody>): Promise<z.input<typeof schema.readView>>;
  /** The user of the phone logs the session out. */
  removeDevice(ctx: Context, phone: string, session: string): Promise<void>;
}

/** Each account has a network of its own, so that nobody sees what others' sessions exchange with a number. */
export function realmOf(accountId: string): string {
  return toId('account', accountId);
}

export function createSandboxService(deps: {
  emulator: EmulatorClient | undefined;
  sessions: Pick<SessionsService, 'get' | 'qr'>;
}): SandboxService {
  async function call<T>(ctx: Context, method: string, path: string, answer: z.ZodType<T>, body?: unknown): Promise<T> {
    if (ctx.mode !== 'test') throw sandboxErrors.testOnly();
    if (deps.emulator === undefined) throw sandboxErrors.unavailable();
    return deps.emulator.call(realmOf(ctx.accountId), { method, path, body }, answer);
  }

  async function findSession(ctx: Context, publicId: string, pointer: string): Promise<SessionRow> {
    const id = fromId('session', publicId);
    const unknown = () => sandboxErrors.invalid({ fields: [{ pointer, detail: 'is not a session of this account and mode' }] });
    if (id === undefined) throw unknown();
    return deps.sessions.get(ctx, id).catch(() => {
      throw unknown();
    });
  }

  async function deviceOf(ctx: Context, publicId: string, pointer: string): Promise<number> {
    const { device, status } = await findSession(ctx, publicId, pointer);
    if (device === null) {
      throw sandboxErrors.sessionNotLinked({ fields: [{ pointer, detail: `is ${status}, not linked` }] });
    }
    return device;
  }

  return {
    createPhone: (ctx, phone) => call(ctx, 'POST', '/phones', schema.phoneView, phone),
    listPhones: (ctx) => call(ctx, 'GET', '/phones', schema.phoneList),
    getPhone: (ctx, phone) => call(ctx, 'GET', pathOf(phone), schema.phoneView),

    async changePhone(ctx, phone, { ban, cut, ...change }) {
      const body = {
        ...change,
        ...(ban !== undefined && { ban_device: await deviceOf(ctx, ban, '/ban') }),
        ...(cut !== undefined && { cut_device: await deviceOf(ctx, cut, '/cut') }),
      };
      return call(ctx, 'PATCH', pathOf(phone), schema.phoneView, body);
    },

    async scan(ctx, phone, session) {
      if (ctx.mode !== 'test') throw sandboxErrors.testOnly();
      const { id } = await findSession(ctx, session, '/session');
      const { qr } = await deps.sessions.qr(ctx, id);
      return call(ctx, 'POST', `${pathOf(phone)}/scan`, schema.linkedView, { qr });
    },

    typePairingCode: (ctx, phone, code) =>
      call(ctx, 'POST', `${pathOf(phone)}/pairing-code`, schema.linkedView, { code: code.replace('-', '') }),

    inbox: (ctx, phone, { after, limit }) => {
      const query = new URLSearchParams({ limit: String(limit), ...(after !== undefined && { after }) });
      return call(ctx, 'GET', `${pathOf(phone)}/messages?${query}`, schema.inboxView);
    },

    write: (ctx, phone, message) => call(ctx, 'POST', `${pathOf(phone)}/messages`, schema.wroteView, message),

    async read(ctx, phone, body) {
      const { read } = await call(ctx, 'POST', `${pathOf(phone)}/read`, z.object({ read: z.unknown() }), body);
      return { read: typeof read === 'number' ? read : z.array(z.unknown()).parse(read).length };
    },

    async removeDevice(ctx, phone, session) {
      await call(ctx, 'DELETE', `${pathOf(phone)}/devices/${await deviceOf(ctx, session, '?session')}`, z.undefined());
    },
  };
}

function pathOf(phone: string): string {
  return `/phones/${encodeURIComponent(phone)}`;
}
