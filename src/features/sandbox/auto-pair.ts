import type { EmulatorClient } from './emulator-client.ts';
import { linkedView, phoneView } from './sandbox.schema.ts';
import { realmOf } from './sandbox.service.ts';

/** Links a session to a fresh virtual phone by scanning the QR code that it shows. For the worker of test mode. */
export async function autoPair(emulator: EmulatorClient, accountId: string, qr: string): Promise<void> {
  const realm = realmOf(accountId);
  const { phone } = await emulator.call(realm, { method: 'POST', path: '/phones', body: {} }, phoneView);
  const path = `/phones/${encodeURIComponent(phone)}/scan`;
  await emulator.call(realm, { method: 'POST', path, body: { qr } }, linkedView);
}
