import { defineOutcomes } from '../../lib/outcomes.ts';

/** Why Pingr itself gives a message up. What WhatsApp refuses is in `src/whatsapp/send-failures.ts`. */
defineOutcomes('`error.code` of a message', [
  {
    code: 'message.session_closed',
    meaning:
      'The session ended before the message was sent. Link the number again and send the message anew.',
  },
  {
    code: 'message.content_expired',
    meaning:
      'What the message said was dropped by the retention setting before it could be sent. Send it anew, and keep contents for longer than a session may be away (`PATCH /v1/account/retention`).',
  },
  {
    code: 'message.recipient_not_on_whatsapp',
    meaning:
      'The number is not on WhatsApp. Check it; sending again will not help until its owner installs WhatsApp.',
  },
  {
    code: 'message.not_sent',
    meaning: 'WhatsApp gave no usable answer about the recipient, again and again. Send it anew later.',
  },
]);
