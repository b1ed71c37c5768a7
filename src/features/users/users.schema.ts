import { z } from 'zod';
import { toId } from '../../lib/ids.ts';
import { idField, timeField, timeZoneInput } from '../../platform/http/api-fields.ts';
import type { Membership, UserRow } from './users.model.ts';

const accountOfUser = z
  .object({
    id: idField('account', 'Id of the account: what `Pingr-Account` takes.'),
    name: z.string().meta({ description: 'Name of the account.', example: 'Acme' }),
    role: z.string().meta({ description: "The user's role in it.", example: 'owner' }),
    closed: z.boolean().meta({
      description: 'Whether it is being deleted: nobody acts for it then, but an owner may restore it.',
      example: false,
    }),
  })
  .meta({ id: 'AccountOfUser', description: 'An account that the user is a member of.' });

export const userView = z
  .object({
    id: idField('user', 'Id of the user.'),
    email: z.string().meta({ description: 'E-mail address.', example: 'ada@example.com' }),
    name: z.string().meta({ description: 'What they are called; empty where not said.', example: 'Ada' }),
    time_zone: z.string().meta({ description: 'IANA time zone.', example: 'Asia/Kolkata' }),
    locale: z.string().meta({ description: 'BCP 47 language tag.', example: 'en-IN' }),
    avatar_url: z
      .string()
      .nullable()
      .meta({ description: 'Picture.', example: 'https://example.com/ada.png' }),
    created_at: timeField('When they first signed in or were invited.'),
    accounts: z
      .array(accountOfUser)
      .meta({ description: 'Accounts that the user belongs to, oldest membership first.' }),
  })
  .meta({ id: 'Me', description: 'The user who is signed in.' });

export const profileChange = z
  .strictObject({
    name: z.string().trim().max(100).optional().meta({ description: 'New name.', example: 'Ada' }),
    time_zone: timeZoneInput('is not an IANA time zone')
      .optional()
      .meta({ description: 'IANA time zone, in any case; kept as IANA spells it.', example: 'Asia/Kolkata' }),
    locale: z
      .string()
      .max(35)
      .transform((text, context) => {
        const tag = canonicalLocale(text);
        if (tag !== undefined) return tag;
        context.addIssue({ code: 'custom', message: 'is not a BCP 47 language tag' });
        return z.NEVER;
      })
      .optional()
      .meta({ description: 'BCP 47 language tag.', example: 'en-IN' }),
    avatar_url: z
      .url({ protocol: /^https$/ })
      .max(2_000)
      .nullable()
      .optional()
      .meta({ description: 'Picture, by https; null for none.', example: 'https://example.com/ada.png' }),
  })
  .meta({ id: 'ProfileChange', description: 'What to change; fields that are left out stay.' });

/** The user as the API shows them to themselves. */
export function showMe(user: UserRow & { memberships: readonly Membership[] }): z.input<typeof userView> {
  const { id, email, name, time_zone, locale, avatar_url, created_at, memberships } = user;
  return {
    id: toId('user', id),
    email,
    name,
    time_zone,
    locale,
    avatar_url,
    created_at: created_at.toISOString(),
    accounts: memberships.map(({ account_id, account_name, role, closed }) => ({
      id: toId('account', account_id),
      name: account_name,
      role,
      closed,
    })),
  };
}

function canonicalLocale(text: string): string | undefined {
  try {
    return Intl.getCanonicalLocales(text)[0];
  } catch {
    return undefined;
  }
}
