import { defineErrors } from '../../lib/errors.ts';

export const triggerErrors = defineErrors({
  notFound: {
    code: 'trigger.not_found',
    status: 404,
    title: 'No such trigger',
    remedy: 'List triggers with GET /v1/triggers; a key sees only those of its own account and mode.',
  },
  urlRefused: {
    code: 'trigger.url_refused',
    status: 422,
    title: 'The reply URL cannot be called',
    remedy:
      'Use a URL on a public address, in live mode with https. `errors` says what is wrong with this one.',
  },
  unknownSession: {
    code: 'trigger.session_not_found',
    status: 422,
    title: 'The trigger names a session that does not exist',
    remedy: 'List sessions with GET /v1/sessions; leave out `sessions` for a trigger of all of them.',
  },
  notInPlan: {
    code: 'trigger.not_in_plan',
    status: 403,
    title: 'The plan does not come with triggers in live mode',
    remedy:
      'Change the plan: GET /v1/plans says which have `triggers` among their features. Test mode has them in every plan.',
  },
  tooMany: {
    code: 'trigger.too_many',
    status: 409,
    title: 'The account has as many triggers of this mode as it may have',
    remedy: 'Delete one that is not needed; a regular expression can stand for several phrases.',
  },
});

/** Why a trigger fired without its reply, as the event's `reply_error` says. */
export const replyErrors = defineErrors({
  messageTooOld: {
    code: 'trigger.message_too_old',
    status: 409,
    title: 'The message was more than five minutes old when it came in',
    remedy:
      'Nobody waits for an automatic answer that long. It happens after the session was away; answer with POST /v1/messages where it still makes sense.',
  },
  urlFailed: {
    code: 'trigger.reply_url_failed',
    status: 502,
    title: 'The reply URL gave no usable answer within five seconds',
    remedy:
      'Answer with 204, `{"reply": "text"}` as application/json, or text/plain, up to 4,096 characters. Set `fallback_reply` for when the server is away.',
  },
  empty: {
    code: 'trigger.reply_empty',
    status: 422,
    title: 'The reply had no text once its variables were filled in',
    remedy: 'Add text that does not depend on what the sender told: a name, for one, may be missing.',
  },
  senderUnknown: {
    code: 'trigger.sender_unknown',
    status: 409,
    title: "The sender's number is not known",
    remedy: 'WhatsApp hides it behind a LID. It becomes known when the person is looked up or shares it.',
  },
});
