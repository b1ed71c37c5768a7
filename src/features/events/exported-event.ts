import { z } from 'zod';
import { MODES } from '../../lib/mode.ts';
import type { AccountCipher } from '../../platform/crypto/vault.ts';
import { dataOfFact, type EventSubject } from './event-subjects.service.ts';
import { openRow } from './open-sealed-data.ts';
import { showMessageData } from './show-event.ts';

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
 * How an export of the account holds rows of `events`, read from JSON: with their data opened and the ids of the API.
 * What they are about is exported apart.
 */
export function exportedEvent(
  subjects: readonly EventSubject[],
): (row: Record<string, unknown>, cipher: AccountCipher) => Record<string, unknown> {
  return (row, cipher) => {
    const event = openRow(eventRow.parse(row), cipher);
    const { message_id: message } = event;
    const data = message === null ? dataOfFact(subjects, event) : showMessageData(event, message, undefined);
    return { ...row, data };
  };
}
