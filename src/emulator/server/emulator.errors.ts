import { defineErrors } from '../../lib/errors.ts';

export const emulatorErrors = defineErrors({
  unauthorized: {
    code: 'emulator.unauthorized',
    status: 401,
    title: 'The control token is missing or wrong',
    remedy: 'Send the emulator’s control token as Authorization: Bearer.',
  },
  badRequest: {
    code: 'emulator.bad_request',
    status: 400,
    title: 'The request cannot be read',
    remedy: 'Send a JSON object.',
  },
  invalid: {
    code: 'emulator.invalid',
    status: 422,
    title: 'A field is wrong',
    remedy: 'Correct the field that `pointer` names.',
  },
  notFound: {
    code: 'emulator.not_found',
    status: 404,
    title: 'There is no such thing',
    remedy: 'Check the path, the number and the device.',
  },
  phoneExists: {
    code: 'emulator.phone_exists',
    status: 409,
    title: 'The phone was made before',
    remedy: 'Use it, or leave the number out to get a fresh one.',
  },
  phoneOffline: {
    code: 'emulator.phone_offline',
    status: 409,
    title: 'The phone is offline',
    remedy: 'Bring it online first.',
  },
  qrUnusable: {
    code: 'emulator.qr_unusable',
    status: 409,
    title: 'The QR code is unknown, used or expired',
    remedy: 'Scan the code that the client shows now.',
  },
  qrForged: {
    code: 'emulator.qr_forged',
    status: 422,
    title: 'The QR code does not belong to the client that waits',
    remedy: 'Scan the code that the client itself shows.',
  },
  nobodyAsked: {
    code: 'emulator.no_pairing_code_asked',
    status: 404,
    title: 'No client asks for a pairing code for this number',
    remedy: 'Request a pairing code for the number first.',
  },
  wrongCode: {
    code: 'emulator.wrong_pairing_code',
    status: 422,
    title: 'The pairing code is wrong',
    remedy: 'Type the code that the client shows.',
  },
  pairingRefused: {
    code: 'emulator.pairing_refused',
    status: 422,
    title: 'The client did not accept the pairing',
    remedy: 'The client closed, or did not answer in time: see its log.',
  },
});
