import { defineErrors } from '../../lib/errors.ts';

export const retentionErrors = defineErrors({
  beyondPlan: {
    code: 'retention.beyond_plan',
    status: 403,
    title: 'The plan does not keep contents for so long',
    remedy: 'Ask for fewer days, or choose a larger plan; GET /v1/plans shows what each keeps.',
  },
  accountGone: {
    code: 'retention.account_gone',
    status: 404,
    title: 'The account no longer exists',
    remedy: 'The key belongs to an account that was erased; use a key of another account.',
  },
});
