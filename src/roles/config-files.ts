import { z } from 'zod';
import { variables } from './config-registry.ts';

/** The variables of links that lead back here, and of files. */
export const filesShape = {
  publicUrl: z
    .url({ protocol: /^https?$/ })
    .transform((url) => url.replace(/\/+$/, ''))
    .optional()
    .register(variables, {
      env: 'PUBLIC_URL',
      section: 'HTTP',
      doc: 'Where the API is reached from outside, for links in mails and answers.',
      default: '`http://127.0.0.1:PORT`',
      roles: ['all', 'api', 'worker'],
    }),
  filesDir: z
    .string()
    .optional()
    .register(variables, {
      env: 'FILES_DIR',
      section: 'Files',
      doc: 'Directory for files such as exports; API and workers must see the same one. Unused with Supabase Storage.',
      default: '`files` in the data directory',
      roles: ['all', 'api', 'worker'],
    }),
  supabaseUrl: z
    .url({ protocol: /^https?$/ })
    .optional()
    .register(variables, {
      env: 'SUPABASE_URL',
      section: 'Files',
      doc: 'Supabase project whose Storage keeps files, such as `https://<ref>.supabase.co`; needs SUPABASE_SECRET_KEY.',
      default: 'none: files are kept in FILES_DIR',
      roles: ['all', 'api', 'worker'],
    }),
  supabaseSecretKey: z
    .string()
    .min(16)
    .optional()
    .register(variables, {
      env: 'SUPABASE_SECRET_KEY',
      section: 'Files',
      doc: 'Secret key of the project, `sb_secret_…` or the older service_role key.',
      secret: true,
      roles: ['all', 'api', 'worker'],
    }),
  supabaseBucket: z
    .string()
    .regex(/^[\w.-]+$/)
    .default('pingr')
    .register(variables, {
      env: 'SUPABASE_BUCKET',
      section: 'Files',
      doc: 'Private bucket for files; it must exist.',
      default: 'pingr',
      roles: ['all', 'api', 'worker'],
    }),
} as const;
