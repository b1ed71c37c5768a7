import { z } from 'zod';
import { MODES } from '../../lib/mode.ts';
import type { AccountCipher } from '../../platform/crypto/vault.ts';
import { openRow } from './open-sealed-data.ts';
import { showEvent } from './show-event.ts';

const eventRow = z.object({
  id: z.string(),
  txid: z.coerce.string(),
  mode: z.enum(MODES),
  type: z.string(),
  session_id: z.string().nullable(),
  message_id: z.string().nullable(),
  data: z.record(z.string(), z.unknown()),
  created_at: z.coerce.date(),
});

/**
 * A row of `events`, as JSON, as an export of the account holds it: its data opened and with the ids of the API. Messages
 * are exported apart.
 */
export function exportedEvent(row: Record<string, unknown>, cipher: AccountCipher): Record<string, unknown> {
  const { data } = showEvent(openRow(eventRow.parse(row), cipher), undefined);
  return { ...row, data };
}
