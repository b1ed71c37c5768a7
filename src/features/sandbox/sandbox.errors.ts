import { defineErrors } from '../../lib/errors.ts';

export const sandboxErrors = defineErrors({
  testOnly: {
    code: 'sandbox.test_key_needed',
    status: 403,
    title: 'The sandbox is for test keys',
    remedy: 'Use a pk_test_ key. Live numbers are real phones.',
  },
  notFound: {
    code: 'sandbox.not_found',
    status: 404,
    title: 'No such phone or device in the sandbox',
    remedy: 'List phones with GET /v1/sandbox/phones.',
  },
  invalid: {
    code: 'sandbox.invalid',
    status: 422,
    title: 'The virtual phone cannot do that',
    remedy: 'Correct the field named in `errors`.',
  },
  conflict: {
    code: 'sandbox.conflict',
    status: 409,
    title: 'The virtual phone is not in a state for that',
    remedy: 'The detail says which state it is in; bring it online, or scan the code that is shown now.',
  },
  sessionNotLinked: {
    code: 'sandbox.session_not_linked',
    status: 409,
    title: 'The session is not linked to this phone',
    remedy: 'Scan its QR code with the phone first.',
  },
  unavailable: {
    code: 'sandbox.unavailable',
    status: 503,
    title: 'The sandbox cannot be reached',
    remedy: 'Start the emulator role, or set SANDBOX_CONTROL_URL to where it runs.',
    repeatable: true,
  },
  noAnswer: {
    code: 'sandbox.no_answer',
    status: 503,
    title: 'The sandbox was asked and gave no answer',
    remedy:
      'It may have done it: look at the phone, and if not, send the request again, with a new Idempotency-Key.',
  },
});
