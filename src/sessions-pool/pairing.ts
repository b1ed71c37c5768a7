import type { HeldRow, SessionReports } from '../features/sessions/session-reports.service.ts';
import type { WhatsAppSocket } from '../whatsapp/socket.ts';
import type { Lease } from './leases.system.ts';

/** Gets the pairing code that the customer asked for, if one is still missing. */
export async function answerPairing(
  reports: SessionReports,
  lease: Lease,
  row: HeldRow,
  socket: WhatsAppSocket,
): Promise<void> {
  const phone = row.pairing_phone;
  if (phone === null || row.pairing_code !== null || row.pairing_error !== null) return;
  try {
    await reports.pairingAnswer(lease, { phone, code: await socket.requestPairingCode(phone) });
  } catch (error) {
    await reports.pairingAnswer(lease, {
      phone,
      error: error instanceof Error ? error.message : 'no answer from WhatsApp',
    });
  }
}
