import { randomInt } from 'node:crypto';
import { z } from 'zod';
import { behaviorSchema } from '../network/behavior.ts';
import type { Device } from '../network/device.ts';
import { jidOf } from '../network/identity.ts';
import type { Phone } from '../network/phone.ts';
import type { Realm } from '../network/realm.ts';
import type { LinkedDevice } from '../network/realms.ts';
import { emulatorErrors } from '../server/emulator.errors.ts';
import { announcePresence } from '../server/presence.ts';
import { failure, streamError } from '../server/session.ts';
import { unlink } from '../server/unlink.ts';
import { addressedPhone, digitsOf } from './addressed-phone.ts';
import type { ControlContext, ControlReply, ControlRequest, ControlRoute } from './control-context.ts';

const PHONES = '/v1/realms/:realm/phones';
const PHONE = `${PHONES}/:phone`;

const name = z.string().trim().min(1).max(100);
const newPhone = z.strictObject({ phone: z.string().optional(), name: name.optional() });
const changes = z.strictObject({
  online: z.boolean().optional(),
  name: name.optional(),
  behavior: behaviorSchema.partial().optional(),
  /** Devices by id. A banned one is refused (403) from now on. */
  ban_device: z.int().optional(),
  unban_device: z.int().optional(),
  cut_device: z.int().optional(),
});
const scanned = z.strictObject({ qr: z.string().min(1) });
const typed = z.strictObject({ code: z.string().trim().length(8, 'must have 8 characters') });

/** Calls about phones and the devices linked to them. */
export const phoneRoutes: ControlRoute[] = [
  { method: 'POST', path: PHONES, handle: createPhone },
  {
    method: 'GET',
    path: PHONES,
    handle: ({ realms }, { params }) => ({
      status: 200,
      body: {
        data: realms
          .realm(params['realm'] ?? '')
          .phones()
          .map(view),
      },
    }),
  },
  { method: 'GET', path: PHONE, handle: showPhone },
  { method: 'PATCH', path: PHONE, handle: changePhone },
  {
    method: 'POST',
    path: `${PHONE}/scan`,
    handle: async (context, request) => {
      const { qr } = scanned.parse(request.body);
      const { realm, phone } = onlinePhone(context, request);
      return linkedReply(await context.pairing.scan(realm, phone, qr));
    },
  },
  {
    method: 'POST',
    path: `${PHONE}/pairing-code`,
    handle: async (context, request) => {
      const { code } = typed.parse(request.body);
      const { realm, phone } = onlinePhone(context, request);
      return linkedReply(await context.pairing.enterCode(realm, phone, code));
    },
  },
  { method: 'DELETE', path: `${PHONE}/devices/:device`, handle: removeDevice },
];

function createPhone({ realms }: ControlContext, { params, body }: ControlRequest): ControlReply {
  const wanted = newPhone.parse(body);
  const realm = realms.realm(params['realm'] ?? '');
  const number = wanted.phone === undefined ? freshNumber(realm) : digitsOf(wanted.phone, '/phone');
  const phone = realm.phone(number);
  if (phone.record.created)
    throw emulatorErrors.phoneExists({ fields: [{ pointer: '/phone', detail: 'exists' }] });
  phone.record.created = true;
  if (wanted.name !== undefined) phone.record.name = wanted.name;
  phone.save();
  return { status: 201, body: view(phone) };
}

function showPhone({ realms }: ControlContext, { params }: ControlRequest): ControlReply {
  const phone = realms.realm(params['realm'] ?? '').find(digitsOf(params['phone'] ?? '', '{phone}'));
  if (!phone) throw emulatorErrors.notFound();
  return { status: 200, body: view(phone) };
}

function changePhone(context: ControlContext, request: ControlRequest): ControlReply {
  const change = changes.parse(request.body);
  const { phone } = addressedPhone(context, request);
  const [banned, unbanned, cut] = [change.ban_device, change.unban_device, change.cut_device].map((id) =>
    id === undefined ? undefined : deviceOf(phone, id),
  );
  if (change.name !== undefined) phone.record.name = change.name;
  if (change.behavior)
    phone.record.behavior = behaviorSchema.parse({ ...phone.record.behavior, ...change.behavior });
  if (change.online !== undefined && change.online !== phone.record.online) {
    phone.record.online = change.online;
    announcePresence(phone);
  }
  phone.save();
  if (banned) ban(banned);
  if (unbanned) setBanned(unbanned, false);
  cut?.link?.cut();
  phone.wake();
  return { status: 200, body: view(phone) };
}

function removeDevice(context: ControlContext, request: ControlRequest): ControlReply {
  const { realm, phone } = addressedPhone(context, request);
  const device = deviceOf(phone, Number(request.params['device']));
  const { link } = device;
  unlink(context, { realm, phone, device });
  link?.end(streamError({ code: 401, conflict: 'device_removed' }));
  return { status: 204 };
}

function ban(device: Device): void {
  setBanned(device, true);
  device.link?.end(failure(403));
}

function setBanned(device: Device, banned: boolean): void {
  device.record.banned = banned;
  device.save();
}

function deviceOf(phone: Phone, id: number): Device {
  const device = phone.devices.get(id);
  if (!device) throw emulatorErrors.notFound({ detail: `the phone has no linked device ${id}` });
  return device;
}

function onlinePhone(context: ControlContext, request: ControlRequest) {
  const addressed = addressedPhone(context, request);
  if (!addressed.phone.record.online) throw emulatorErrors.phoneOffline();
  return addressed;
}

/** A number that nobody has: Indian mobile numbers in +91 98… are all valid. */
function freshNumber(realm: Realm): string {
  for (;;) {
    const number = `9198${String(randomInt(1e8)).padStart(8, '0')}`;
    if (!realm.find(number)) return number;
  }
}

function linkedReply({ phone, device }: LinkedDevice): ControlReply {
  const jid = jidOf(phone.identity, 'pn', device.id);
  return { status: 200, body: { device: device.id, jid, lid: jidOf(phone.identity, 'lid', device.id) } };
}

function view({ number, identity, record, devices }: Phone) {
  return {
    phone: `+${number}`,
    lid: identity.lid,
    name: record.name,
    online: record.online,
    behavior: record.behavior,
    devices: [...devices.values()].map(({ id, online, record: { linkedAt, banned } }) => ({
      device: id,
      linked_at: linkedAt,
      online,
      banned,
    })),
  };
}
