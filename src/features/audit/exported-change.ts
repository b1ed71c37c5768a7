import { z } from 'zod';
import { toId } from '../../lib/ids.ts';
import { ACTOR_TYPES, publicImage, targetOf } from './audit.model.ts';

const image = z.record(z.string(), z.unknown()).nullable();
const changeRow = z.object({
  actor_type: z.enum(ACTOR_TYPES),
  actor_id: z.string().nullable(),
  target_type: z.string(),
  target_id: z.string(),
  before: image,
  after: image,
});

/** A row of `audit_log`, as JSON, as an export of the account holds it: with the names and ids of the API. */
export function exportedChange(row: Record<string, unknown>): Record<string, unknown> {
  const { actor_type, actor_id, target_type, target_id, before, after } = changeRow.parse(row);
  const target = targetOf({ target_type, target_id });
  return {
    ...row,
    actor_id: actor_id && toId(actor_type === 'user' ? 'user' : 'apiKey', actor_id),
    target_type: target.type,
    target_id: target.id,
    before: publicImage(before, target_type),
    after: publicImage(after, target_type),
  };
}
