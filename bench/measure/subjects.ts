import type { BenchEmulator } from '../emulator/emulator.ts';
import { postJson } from '../load/http.ts';
import { freshTag, type Sender } from '../load/traffic.ts';
import { cpuOf } from '../machine/processes.ts';
import type { Options } from '../options.ts';
import { type Pingr } from '../pingr/pingr.ts';
import { RAW_REALM, type RawBaileys } from '../raw/raw.ts';

/** What is compared, ready to send from one linked number each. */
export interface Subjects {
  emulator: BenchEmulator;
  raw: RawBaileys;
  pingr: Pingr;
  options: Options;
}

/** Numbers that both write to. */
export const CONTACTS: readonly string[] = Array.from(
  { length: 20 },
  (_, n) => `9198765${String(40_000 + n)}`,
);

export function rawSender({ raw }: Pick<Subjects, 'raw'>): Sender {
  return { door: raw.door, cpu: async () => ({ own: await cpuOf(raw.pid), database: 0 }) };
}

/** A number that nobody has written to; unknown numbers of the emulator are ordinary phones. */
export function freshNumber(): string {
  return `9197654${String(10_000 + strangers++)}`;
}
let strangers = 0;

/**
 * Makes the contacts known: each gets a message and answers, so that both sides' ratchets have turned and what
 * follows is what a conversation costs.
 */
export async function meetContacts({ emulator, raw, pingr }: Subjects): Promise<void> {
  for (const { door, realm, phone } of [
    { door: raw.door, realm: RAW_REALM, phone: JSON.parse(await raw.command('pair', { count: 1 })).phone },
    { door: pingr.door, realm: pingr.realm, phone: await pingr.phone() },
  ]) {
    for (const contact of CONTACTS) {
      const text = `${freshTag()} hello`;
      const arrived = emulator.arrival(text);
      await postJson(door.url, door.body(contact, text), door.headers);
      await arrived;
      await emulator.write(realm, contact, phone, 'hello to you');
    }
  }
}
