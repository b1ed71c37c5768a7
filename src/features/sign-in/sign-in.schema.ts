import { z } from 'zod';
import { toId } from '../../lib/ids.ts';
import { idField, timeField } from '../../platform/http/api-fields.ts';
import type { Entered } from './enter.ts';
import type { SignInRow } from './sign-in.system.ts';
import type { SignInTokens } from './sign-in-tokens.ts';

export const magicLinkBody = z
  .strictObject({
    email: z
      .email('must be an e-mail address')
      .max(254)
      .transform((email) => email.toLowerCase())
      .meta({ description: 'Where to send the link.', example: 'ada@example.com' }),
  })
  .meta({ id: 'MagicLinkRequest', description: 'Who wants to sign in.' });

export const magicLinkView = z
  .object({
    minutes_valid: z.int().meta({ description: 'How long the link works, once it is there.', example: 15 }),
  })
  .meta({ id: 'MagicLinkSent', description: 'The same answer for every address.' });

const token = (description: string) => z.string().min(1).max(1_000).meta({ description, example: 'AVfN3x…' });

export const signInBody = z
  .strictObject({ token: token('The token in the link.') })
  .meta({ id: 'SignInRequest', description: 'A link that was opened.' });

export const refreshBody = z
  .strictObject({ refresh_token: token('The refresh token of the answer before.') })
  .meta({ id: 'RefreshRequest', description: 'A sign-in to go on with.' });

export const tokensView = z
  .object({
    sign_in_id: idField('signIn', 'Id of the sign-in.'),
    access_token: z
      .string()
      .meta({ description: 'Send it as `Authorization: Bearer`.', example: 'eyJhbGciOiJIUzI1NiJ9.e30.c2ln' }),
    token_type: z.literal('Bearer').meta({ description: 'How it is sent.', example: 'Bearer' }),
    expires_in: z.int().meta({ description: 'Seconds until the access token ends.', example: 900 }),
    refresh_token: z.string().meta({
      description: 'For `POST /v1/auth/refresh`: works once, within 30 days.',
      example: 'rt_4fGh0q7Zk2Vn8bXw5RtYc1LmPs9DjUaE2xB7Qy',
    }),
    user_id: idField('user', 'Id of the user.'),
    email: z.string().meta({ description: 'E-mail address of the user.', example: 'ada@example.com' }),
  })
  .meta({ id: 'SignInTokens', description: 'What a person who is signed in keeps.' });

export const acceptedView = z
  .object({
    account_id: idField('account', 'The account that the user is now a member of.'),
    email: z.string().meta({ description: 'E-mail address of the user.', example: 'ada@example.com' }),
    role: z.string().meta({ description: 'Their role in it.', example: 'developer' }),
    sign_in: tokensView.nullable().meta({ description: 'Signs the user in; null where Firebase does that.' }),
  })
  .meta({ id: 'InvitationAccepted', description: 'An invitation that was accepted.' });

export const methodView = z
  .object({
    method: z
      .enum(['magic_link', 'firebase'])
      .meta({ description: 'How people sign in here.', example: 'magic_link' }),
    firebase_project_id: z
      .string()
      .nullable()
      .meta({ description: 'The Firebase project; null without.', example: null }),
  })
  .meta({ id: 'SignInMethod', description: 'How people sign in.' });

export const signInView = z
  .object({
    id: idField('signIn', 'Id of the sign-in.'),
    current: z.boolean().meta({ description: 'Whether it is the one that asks.', example: true }),
    ip: z.string().nullable().meta({ description: 'Address last seen.', example: '203.0.113.7' }),
    user_agent: z.string().nullable().meta({ description: 'Program last seen.', example: 'Mozilla/5.0' }),
    created_at: timeField('When the user signed in.'),
    refreshed_at: timeField('When it was last refreshed.'),
    expires_at: timeField('When it ends, unless it is refreshed.'),
  })
  .meta({ id: 'SignIn', description: 'Where a user is signed in.' });

/** Tokens as the API shows them, this once. */
export function showTokens({ user }: Entered, tokens: SignInTokens): z.input<typeof tokensView> {
  return {
    sign_in_id: toId('signIn', tokens.signInId),
    access_token: tokens.accessToken,
    token_type: 'Bearer',
    expires_in: tokens.expiresIn,
    refresh_token: tokens.refreshToken,
    user_id: toId('user', user.id),
    email: user.email,
  };
}

/** A sign-in as the API shows it. */
export function showSignIn(row: SignInRow, currentId: string | undefined): z.input<typeof signInView> {
  const { id, ip, user_agent, created_at, refreshed_at, expires_at } = row;
  return {
    id: toId('signIn', id),
    current: id === currentId,
    ip,
    user_agent,
    created_at: created_at.toISOString(),
    refreshed_at: refreshed_at.toISOString(),
    expires_at: expires_at.toISOString(),
  };
}
