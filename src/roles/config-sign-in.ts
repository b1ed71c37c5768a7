import { z } from 'zod';
import { GOOGLE_JWKS_URL } from '../platform/identity/firebase-tokens.ts';
import { variables } from './config-registry.ts';

/** The variables of how people sign in. */
export const signInShape = {
  firebaseProjectId: z
    .string()
    .regex(/^[a-z0-9-]{4,40}$/)
    .optional()
    .register(variables, {
      env: 'FIREBASE_PROJECT_ID',
      section: 'Sign-in',
      doc: 'Firebase project whose users sign in.',
      default: 'none: people sign in by links in mails',
      roles: ['all', 'api'],
    }),
  firebaseJwksUrl: z
    .url({ protocol: /^https?$/ })
    .default(GOOGLE_JWKS_URL)
    .register(variables, {
      env: 'FIREBASE_JWKS_URL',
      section: 'Sign-in',
      doc: 'Keys that sign ID tokens, as a JSON Web Key Set; for stand-ins.',
      default: "Google's",
      roles: ['all', 'api'],
    }),
  firebaseServiceAccount: z
    .string()
    .refine(isServiceAccount, "must be the JSON of a service account's key file")
    .optional()
    .register(variables, {
      env: 'FIREBASE_SERVICE_ACCOUNT',
      section: 'Sign-in',
      doc: "JSON of a service account's key file, to notice within a minute that a user was disabled or signed out.",
      default: 'none: an ID token counts for the hour that it lives',
      secret: true,
      roles: ['all', 'api'],
    }),
  signUp: z
    .enum(['open', 'invited'])
    .default('open')
    .register(variables, {
      env: 'SIGN_UP',
      section: 'Sign-in',
      doc: 'Who gets an account by signing in: everybody (`open`), or only those who were invited or whom an operator made one for (`invited`).',
      default: 'open',
      roles: ['all', 'api'],
    }),
  restoreDays: z.coerce
    .number()
    .int()
    .min(0)
    .max(23)
    .default(7)
    .register(variables, {
      env: 'RESTORE_DAYS',
      section: 'Sign-in',
      doc: 'For how many days a deleted account can be restored before it is erased; with 0 it is erased at once.',
      default: '7',
      roles: ['all', 'api'],
    }),
} as const;

function isServiceAccount(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && 'private_key' in value && 'client_email' in value;
  } catch {
    return false;
  }
}
