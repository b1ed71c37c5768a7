import { defineErrors } from '../../lib/errors.ts';

export const fileErrors = defineErrors({
  notFound: {
    code: 'file.not_found',
    status: 404,
    title: 'No such file',
    remedy: 'It may have expired; ask for it to be made again.',
  },
  linkInvalid: {
    code: 'file.link_invalid',
    status: 403,
    title: 'The link to the file is wrong or has expired',
    remedy: 'Ask the API for a new link.',
  },
  unavailable: {
    code: 'file.storage_unavailable',
    status: 503,
    title: 'The file storage cannot be reached',
    remedy: 'Try again in a few seconds.',
  },
});
