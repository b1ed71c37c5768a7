import { parsePhone } from '../../lib/phone.ts';
import type { Phone } from '../network/phone.ts';
import type { Realm } from '../network/realm.ts';
import { emulatorErrors } from '../server/emulator.errors.ts';
import type { ControlContext, ControlRequest } from './control-context.ts';

export interface AddressedPhone {
  realm: Realm;
  phone: Phone;
}

/**
 * The phone that the path names. A number that nobody met yet is an ordinary phone from now on.
 * @throws `emulator.invalid` when no such number can exist.
 */
export function addressedPhone({ realms }: ControlContext, { params }: ControlRequest): AddressedPhone {
  const realm = realms.realm(params['realm'] ?? '');
  return { realm, phone: realm.phone(digitsOf(params['phone'] ?? '', '{phone}')) };
}

/**
 * Digits of a number, with or without `+`.
 * @param pointer what to name when it is wrong.
 * @throws `emulator.invalid` when no such number can exist.
 */
export function digitsOf(text: string, pointer: string): string {
  const parsed = parsePhone(text);
  if (parsed.ok) return parsed.digits;
  throw emulatorErrors.invalid({ fields: [{ pointer, detail: parsed.reason }] });
}
