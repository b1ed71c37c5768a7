import { decodeNode } from '../wire/node.ts';
import { deviceRecordSchema } from './device.ts';
import { type StoredMessage, storedMessageSchema } from './inbox.ts';
import { type Phone, phoneRecordSchema } from './phone.ts';
import type { Realms } from './realms.ts';
import { parseStateKey } from './scoped-state.ts';

/** Deliveries and bytes can only be given to phones and devices that are there. */
const ORDER = ['phone', 'device', 'prekeys', 'session', 'message', 'patch', 'queue'];

interface StoredEntry {
  realm: string;
  kind: string;
  rest: string[];
  value: Buffer;
}

/**
 * Rebuilds the realms from what the store holds.
 * @returns the highest sequence number in use.
 */
export function restoreState(realms: Realms, stored: [string, Buffer][]): number {
  const entries = stored.flatMap(([key, value]) => {
    const parsed = parseStateKey(key);
    return parsed ? [{ ...parsed, value }] : [];
  });
  let highest = 0;
  for (const kind of ORDER) {
    for (const entry of entries) {
      if (entry.kind === kind) highest = Math.max(highest, restoreEntry(realms, entry));
    }
  }
  return highest;
}

function restoreEntry(realms: Realms, entry: StoredEntry): number {
  const realm = realms.realm(entry.realm);
  const [number = '', part = '', last = ''] = entry.rest;
  if (entry.kind === 'phone') {
    realm.restore(phoneRecordSchema.parse(JSON.parse(entry.value.toString())));
    return 0;
  }
  const phone = realm.find(number);
  if (!phone) return 0;
  switch (entry.kind) {
    case 'device': {
      const device = phone.addDevice(deviceRecordSchema.decode(JSON.parse(entry.value.toString())));
      realms.register({ realm, phone, device });
      return 0;
    }
    case 'message':
      return restoreMessage(phone, part, entry.value);
    case 'queue':
      return restoreDelivery(phone, part, last, entry.value);
    default:
      restoreBytes(phone, entry.kind, part, entry.value);
      return 0;
  }
}

function restoreBytes(phone: Phone, kind: string, part: string, value: Buffer): void {
  if (kind === 'prekeys') phone.devices.get(Number(part))?.preKeys.restore(value);
  else if (kind === 'session') phone.sessions.set(part, value);
  else if (kind === 'patch') phone.appState.restore(part, value);
}

function restoreMessage(phone: Phone, key: string, value: Buffer): number {
  const sequence = Number.parseInt(key, 16);
  const message: StoredMessage = storedMessageSchema.parse(JSON.parse(value.toString()));
  phone.inbox.restore({ sequence, message });
  return sequence;
}

function restoreDelivery(phone: Phone, device: string, key: string, value: Buffer): number {
  const sequence = Number.parseInt(key, 16);
  const queue = device === '0' ? phone.queue : phone.devices.get(Number(device))?.queue;
  queue?.restore(sequence, decodeNode(value));
  return sequence;
}
