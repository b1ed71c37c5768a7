import { z } from 'zod';
import { MODES } from '../../lib/mode.ts';
import { idField, timeField } from '../../platform/http/api-fields.ts';

export const accountView = z
  .object({
    id: idField('account', 'Id of the account.'),
    name: z.string().meta({ description: 'Name of the account.', example: 'Acme' }),
    mode: z
      .enum(MODES)
      .meta({ description: 'Mode of the key that asks: what it sees and sends.', example: 'test' }),
    scopes: z.array(z.string()).meta({ description: 'What the key that asks may do.', example: ['*'] }),
    created_at: timeField('When the account was made.'),
  })
  .meta({ id: 'Account', description: 'Whose data the key reaches.' });
