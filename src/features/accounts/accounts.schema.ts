import { z } from 'zod';
import { toId } from '../../lib/ids.ts';
import { MODES } from '../../lib/mode.ts';
import type { Context } from '../../platform/context.ts';
import { idField, timeField } from '../../platform/http/api-fields.ts';
import type { AccountRow } from './accounts.store.ts';

export const accountView = z
  .object({
    id: idField('account', 'Id of the account.'),
    name: z.string().meta({ description: 'Name of the account.', example: 'Acme' }),
    email: z.string().nullable().meta({
      description: 'Where Pingr writes about the account, beside its owners.',
      example: 'owner@example.com',
    }),
    mode: z
      .enum(MODES)
      .meta({ description: 'Mode of the key that asks: what it sees and sends.', example: 'test' }),
    scopes: z.array(z.string()).meta({ description: 'What the key that asks may do.', example: ['*'] }),
    created_at: timeField('When the account was made.'),
  })
  .meta({ id: 'Account', description: 'Whose data the key reaches.' });

export const accountChange = z
  .strictObject({
    name: z.string().trim().min(1).max(100).optional().meta({ description: 'New name.', example: 'Acme' }),
    email: z.email('must be an e-mail address').max(254).nullable().optional().meta({
      description:
        'Where Pingr writes about the account, beside its owners; null for nowhere else. Nobody becomes an owner by it.',
      example: 'owner@example.com',
    }),
  })
  .meta({ id: 'AccountChange', description: 'What to change; fields that are left out stay.' });

/** The account as the API shows it to a key. */
export function showAccount(
  { id, name, email, created_at }: AccountRow,
  { mode, scopes }: Pick<Context, 'mode' | 'scopes'>,
): z.input<typeof accountView> {
  return {
    id: toId('account', id),
    name,
    email,
    mode,
    scopes: [...scopes],
    created_at: created_at.toISOString(),
  };
}
