import { z } from 'zod';
import type { EventSubject, StoredFact } from '../events/event-subjects.service.ts';
import { ALERT_KINDS } from './abuse.model.ts';
import { showAlert } from './abuse.schema.ts';

const stored = z.object({
  id: z.uuid(),
  kind: z.enum(ALERT_KINDS),
  subject: z.uuid(),
  detail: z.record(z.string(), z.unknown()),
  factor: z.number().nullable(),
  restricted_until: z.coerce.date().nullable(),
});

/** How events about alerts look. A fact holds the whole alert, which counts on afterwards. */
export const alertEvents: EventSubject = {
  types: ['account.suspicious_activity'],
  fromFact: asItWas,
};

function asItWas({ data, mode, created_at: at }: StoredFact): object {
  const { success, data: alert } = stored.safeParse(data);
  if (!success) return data;
  return showAlert({ ...alert, mode, count: 1, first_at: at, last_at: at });
}
