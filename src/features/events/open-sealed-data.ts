import { z } from 'zod';
import type { AccountCipher, Vault } from '../../platform/crypto/vault.ts';
import { sealedDataPurpose } from './events.events.ts';
import type { EventRow } from './events.model.ts';

const openData = z.record(z.string(), z.unknown());

/**
 * Puts what events keep sealed (`sealEventData`) in the place of the sealed text.
 * @throws Error where it was sealed for another event or tampered with
 */
export async function openSealedData(
  vault: Pick<Vault, 'of'>,
  accountId: string,
  rows: readonly EventRow[],
): Promise<EventRow[]> {
  if (!rows.some(({ data }) => 'sealed' in data)) return [...rows];
  const cipher = await vault.of(accountId);
  return rows.map((row) => openRow(row, cipher));
}

/** The same for one event. */
export function openRow(row: EventRow, cipher: AccountCipher): EventRow {
  const { sealed, ...data } = row.data;
  if (typeof sealed !== 'string') return row;
  const plain = cipher.open(Buffer.from(sealed, 'base64'), sealedDataPurpose(row.id)).toString('utf8');
  return { ...row, data: { ...data, ...openData.parse(JSON.parse(plain)) } };
}
