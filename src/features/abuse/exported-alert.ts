import { z } from 'zod';
import { toId } from '../../lib/ids.ts';
import { ALERT_KINDS, isAboutKey } from './abuse.model.ts';

const alertRow = z.object({ kind: z.enum(ALERT_KINDS), subject: z.uuid() });

/** A row of `account_alerts`, as JSON, as an export of the account holds it: its subject is a key or a session. */
export function exportedAlert(row: Record<string, unknown>): Record<string, unknown> {
  const { kind, subject } = alertRow.parse(row);
  return { ...row, subject: toId(isAboutKey(kind) ? 'apiKey' : 'session', subject) };
}
