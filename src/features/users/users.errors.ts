import { defineErrors } from '../../lib/errors.ts';

export const userErrors = defineErrors({
  notFound: {
    code: 'user.not_found',
    status: 404,
    title: 'The user is not there any more',
    remedy: 'A user whose last membership ended is forgotten; sign in again to begin anew.',
  },
});
