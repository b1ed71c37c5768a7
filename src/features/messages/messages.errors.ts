import { defineErrors } from '../../lib/errors.ts';

export const messageErrors = defineErrors({
  notFound: {
    code: 'message.not_found',
    status: 404,
    title: 'No such message',
    remedy: 'A key sees only messages of its own account and mode.',
  },
  contextNotFound: {
    code: 'message.context_not_found',
    status: 422,
    title: 'The message to reply to is not known',
    remedy:
      'Give the id of a message of the same session, to or from the contact that you write to. The contact is told what is quoted.',
  },
  sessionMissing: {
    code: 'message.session_ambiguous',
    status: 422,
    title: 'Which session should send this is not clear',
    remedy: 'Leave `session` out only when exactly one session of the mode is connected; otherwise name it.',
  },
  sessionNotLinked: {
    code: 'message.session_not_linked',
    status: 409,
    title: 'The session is not linked to a WhatsApp number',
    remedy: 'Link it by QR or pairing code first, or restart it if it was logged out or replaced.',
  },
  unknownSession: {
    code: 'message.session_not_found',
    status: 422,
    title: 'No such session',
    remedy: 'Name a session of this account and mode; GET /v1/sessions lists them.',
  },
  quotaReached: {
    code: 'message.quota_reached',
    status: 402,
    title: "The plan's messages for this period are used up",
    remedy:
      '`GET /v1/billing/subscription` shows what is used and when counting begins anew; `POST /v1/billing/checkout` starts a larger plan. Test mode goes on.',
  },
});
