import { defineErrors } from '../../lib/errors.ts';

export const signInErrors = defineErrors({
  linkInvalid: {
    code: 'auth.link_invalid',
    status: 422,
    title: 'The sign-in link does not work any more',
    remedy: 'It works once, within 15 minutes: ask for another.',
  },
  refreshInvalid: {
    code: 'auth.refresh_invalid',
    status: 401,
    title: 'The refresh token is not valid',
    remedy: 'Sign in again. A refresh token works once; each answer brings the next one.',
  },
  firebaseOnly: {
    code: 'auth.firebase_only',
    status: 409,
    title: 'People sign in through Firebase here',
    remedy: 'Send the Firebase ID token as `Authorization: Bearer`; `GET /v1/auth/method` names the project.',
  },
  notFound: {
    code: 'sign_in.not_found',
    status: 404,
    title: 'No such sign-in',
    remedy: 'List them with GET /v1/auth/sign-ins.',
  },
});

/** Why somebody who proved who they are may not go on. */
export const callerErrors = defineErrors({
  emailUnverified: {
    code: 'auth.email_unverified',
    status: 403,
    title: 'The e-mail address is not verified',
    remedy: 'Sign in with a provider that verifies it, or by e-mail link.',
  },
  notInvited: {
    code: 'auth.not_invited',
    status: 403,
    title: 'Nobody signs up here without an invitation',
    remedy: 'Ask a member of an account to invite you.',
  },
  noAccount: {
    code: 'auth.no_account',
    status: 403,
    title: 'The user belongs to no account',
    remedy: 'Sign in again to get one, or ask for an invitation.',
  },
  accountNeeded: {
    code: 'auth.account_needed',
    status: 400,
    title: 'The user belongs to several accounts',
    remedy: 'Say which one in the header `Pingr-Account`; `GET /v1/me` lists them.',
  },
  accountUnknown: {
    code: 'auth.account_unknown',
    status: 403,
    title: 'The user does not belong to the account in `Pingr-Account`',
    remedy: 'Send the id of one of their accounts; `GET /v1/me` lists them.',
  },
  accountClosed: {
    code: 'auth.account_closed',
    status: 403,
    title: 'The account is being deleted',
    remedy:
      'Undo it by the link in the mail about it, or as an owner with POST /v1/me/accounts/{id}/restore.',
  },
  modeInvalid: {
    code: 'auth.mode_invalid',
    status: 400,
    title: 'There is no such mode',
    remedy: 'Send `Pingr-Mode: test` or `live`, or leave it out for `live`.',
  },
});
