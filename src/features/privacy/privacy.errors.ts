import { defineErrors } from '../../lib/errors.ts';

export const privacyErrors = defineErrors({
  notConfirmed: {
    code: 'account.not_confirmed',
    status: 422,
    title: 'The name of the account was not confirmed',
    remedy: "Send the account's exact name as `confirm`; GET /v1/account shows it.",
  },
  alreadyClosed: {
    code: 'account.already_closed',
    status: 409,
    title: 'The account is closed already',
    remedy: 'Restore it with the link in the mail, or wait until it is erased.',
  },
  notClosed: {
    code: 'account.not_closed',
    status: 404,
    title: 'The user has no closed account with this id',
    remedy:
      'GET /v1/me lists their accounts and which are closed; one that is being erased does not come back.',
  },
  restoreLinkInvalid: {
    code: 'account.restore_link_invalid',
    status: 422,
    title: 'The link does not restore an account',
    remedy:
      'Links work for seven days, until the account is erased, and once. Copy the whole link from the mail.',
  },
  exportNotFound: {
    code: 'account_export.not_found',
    status: 404,
    title: 'No such export',
    remedy: 'List exports with GET /v1/account/exports.',
  },
});
