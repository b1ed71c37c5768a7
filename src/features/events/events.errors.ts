import { defineErrors } from '../../lib/errors.ts';

export const eventErrors = defineErrors({
  notFound: {
    code: 'event.not_found',
    status: 404,
    title: 'No such event',
    remedy: 'A key sees only events of its own account and mode, for as long as they are kept.',
  },
  cannotContinue: {
    code: 'event.cannot_continue',
    status: 422,
    title: 'The stream cannot continue after that event',
    remedy:
      'The event is not known here or no longer kept. Connect without it, and read what is missing with GET /v1/events.',
  },
});
