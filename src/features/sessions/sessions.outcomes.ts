import { defineOutcomes } from '../../lib/outcomes.ts';

/** Why Pingr itself ends a session. What WhatsApp says is in `src/whatsapp/disconnect.ts`. */
defineOutcomes('`status_reason.code` of a session', [
  {
    code: 'session.pairing_timed_out',
    meaning: 'Nobody scanned the QR code or typed the pairing code. Restart the session to try again.',
  },
]);
