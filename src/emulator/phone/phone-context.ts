import { randomBytes } from 'node:crypto';
import type { Device } from '../network/device.ts';
import type { Emulation } from '../network/emulation.ts';
import type { Phone } from '../network/phone.ts';
import type { Realm } from '../network/realm.ts';
import type { Lane } from '../state/lane.ts';
import type { SignalSessions } from './signal-sessions.ts';

/** What a virtual phone works with. */
export interface PhoneContext {
  emulation: Emulation;
  realm: Realm;
  phone: Phone;
  /** Used inside {@link lane} only. */
  sessions: SignalSessions;
  lane: Lane;
  /** Messages to own companions that are in no inbox, by id, for retries. */
  peerMessages: Map<string, Uint8Array>;
  /** How often the phone asked for a message again, by author and id. */
  retries: Map<string, number>;
}

/** An id as iPhones make them. */
export function newMessageId(): string {
  return `3A${randomBytes(9).toString('hex').toUpperCase()}`;
}

/** Every companion that must get what one of the two users writes to the other. */
export function companionsOf(phone: Phone): Device[] {
  return [...phone.devices.values()];
}
