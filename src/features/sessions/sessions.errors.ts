import { defineErrors } from '../../lib/errors.ts';

export const sessionErrors = defineErrors({
  notFound: {
    code: 'session.not_found',
    status: 404,
    title: 'No such session',
    remedy: 'List sessions with GET /v1/sessions; a key sees only sessions of its own account and mode.',
  },
  alreadyLinked: {
    code: 'session.already_linked',
    status: 409,
    title: 'The session is linked to a number already',
    remedy: 'Log it out first (POST /v1/sessions/:id/logout) or create another session.',
  },
  limitReached: {
    code: 'session.limit_reached',
    status: 402,
    title: 'The plan allows no more sessions',
    remedy: 'Delete a session that is no longer used, or choose a larger plan (`POST /v1/billing/checkout`).',
  },
  noQr: {
    code: 'session.no_qr',
    status: 409,
    title: 'The session shows no QR code now',
    remedy: 'Only a session in status `pairing` has one. Restart a session that was logged out.',
  },
  pairingFailed: {
    code: 'session.pairing_failed',
    status: 502,
    title: 'WhatsApp gave no pairing code',
    remedy: 'Check the number and try again; WhatsApp limits how often a number may ask.',
  },
  pairingReplaced: {
    code: 'session.pairing_replaced',
    status: 409,
    title: 'A pairing code for another number was asked for meanwhile',
    remedy: 'A session links one number: use a session for each, or ask again for this one.',
  },
  notPairing: {
    code: 'session.not_pairing',
    status: 409,
    title: 'The session is not being linked',
    remedy: 'Restart it (POST /v1/sessions/:id/restart), then ask again.',
  },
  autoPairLive: {
    code: 'session.auto_pair_test_only',
    status: 422,
    title: 'auto_pair works in test mode only',
    remedy: 'Use a pk_test_ key, or link the live number by QR or pairing code.',
  },
  notReady: {
    code: 'session.not_ready',
    status: 503,
    title: 'The session is not ready yet',
    remedy:
      'A worker has not taken the session up yet, or cannot reach WhatsApp: then `detail` says why. Try again in a few seconds.',
    repeatable: true,
  },
});
