import { defineErrors } from '../../lib/errors.ts';

export const accountErrors = defineErrors({
  notFound: {
    code: 'account.not_found',
    status: 404,
    title: 'The account no longer exists',
    remedy: 'The key belongs to an account that was erased; use a key of another account.',
  },
});
