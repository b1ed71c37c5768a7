import { z } from 'zod';
import { fromId, toId } from '../../lib/ids.ts';
import { MODES } from '../../lib/mode.ts';
import { idField, timeField, timeInput } from '../../platform/http/api-fields.ts';
import {
  ACTIONS,
  ACTOR_TYPES,
  type AuditRow,
  publicImage,
  TARGET_NAMES,
  TARGETS,
  tableOf,
  targetOf,
} from './audit.model.ts';
import type { AuditFilter } from './audit.store.ts';

const actorInput = z
  .string()
  .transform((text, context) => {
    const uuid = fromId('apiKey', text) ?? fromId('user', text);
    if (uuid !== undefined) return uuid;
    context.addIssue({ code: 'custom', message: 'is not an id of a key or user' });
    return z.NEVER;
  })
  .meta({ description: 'Only changes by this key or user.', example: 'key_01h455vb4pex5vsknk084sn02q' });

const targetInput = z
  .string()
  .transform((text, context) => {
    const ids = Object.values(TARGETS).map(({ id }) => id && fromId(id, text));
    const uuid = ids.find((found) => found !== undefined);
    if (uuid !== undefined) return uuid;
    context.addIssue({ code: 'custom', message: 'is not an id of something that is audited' });
    return z.NEVER;
  })
  .meta({ description: 'Only changes of this.', example: 'whe_01h455vb4pex5vsknk084sn02q' });

/** Filters of the list and of exports; spread into their query schemas. */
export const auditFilters = {
  action: z.enum(ACTIONS).optional().meta({ description: 'Only such changes.', example: 'updated' }),
  actor: actorInput.optional(),
  target_type: z
    .enum(TARGET_NAMES)
    .optional()
    .meta({ description: 'Only changes of such things.', example: 'webhook_endpoint' }),
  target: targetInput.optional(),
  since: timeInput('Made at or after.').optional(),
  until: timeInput('Made before.').optional(),
};

/** Filters as the store takes them. */
export function filterOf(query: z.output<z.ZodObject<typeof auditFilters>>): AuditFilter {
  const { action, actor: actorId, target_type, target: targetId, since, until } = query;
  const targetType = target_type === undefined ? undefined : tableOf(target_type);
  return { action, actorId, targetType, targetId, since, until };
}

const image = (description: string) =>
  z
    .record(z.string(), z.unknown())
    .nullable()
    .meta({ description, example: { url: 'https://example.com/hooks' } });

export const auditEntryView = z
  .object({
    id: idField('auditEntry', 'Id of the entry.'),
    at: timeField('When it was changed.'),
    mode: z
      .enum(MODES)
      .nullable()
      .meta({ description: 'Mode of what was changed; null where it has none.', example: 'live' }),
    actor: z
      .object({
        type: z.enum(ACTOR_TYPES).meta({ description: 'Who did it: `system` is Pingr.', example: 'user' }),
        id: z
          .string()
          .nullable()
          .meta({ description: 'The key or user.', example: 'usr_01h455vb4pex5vsknk084sn02q' }),
        name: z
          .string()
          .nullable()
          .meta({ description: 'Name of the key, or address of the user.', example: 'ada@example.com' }),
      })
      .meta({ id: 'AuditActor', description: 'Who changed it.' }),
    ip: z.string().nullable().meta({ description: 'From where.', example: '203.0.113.7' }),
    user_agent: z.string().nullable().meta({ description: 'By which program.', example: 'Mozilla/5.0' }),
    request_id: z
      .string()
      .nullable()
      .meta({ description: 'By which request.', example: 'req_01h455vb4pex5vsknk084sn02q' }),
    action: z.enum(ACTIONS).meta({ description: 'What was done.', example: 'updated' }),
    target: z
      .object({
        type: z.string().meta({ description: 'What sort of thing.', example: 'webhook_endpoint' }),
        id: z.string().meta({ description: 'Which.', example: 'whe_01h455vb4pex5vsknk084sn02q' }),
      })
      .meta({ id: 'AuditTarget', description: 'What was changed.' }),
    changed: z
      .array(z.string())
      .nullable()
      .meta({ description: 'Fields that an update changed.', example: ['url'] }),
    before: image('The fields before; null for what was created. Secrets read `[redacted]`.'),
    after: image('The fields after; null for what was deleted.'),
  })
  .meta({ id: 'AuditEntry', description: 'A change in the account.' });

/** A change as the API shows it. */
export function showEntry(row: AuditRow): z.input<typeof auditEntryView> {
  const { actor_type: type, actor_id, actor_name: name } = row;
  return {
    id: toId('auditEntry', row.id),
    at: row.at.toISOString(),
    mode: row.mode,
    actor: { type, id: actor_id && toId(type === 'user' ? 'user' : 'apiKey', actor_id), name },
    ip: row.ip,
    user_agent: row.user_agent,
    request_id: row.request_id,
    action: row.action,
    target: targetOf(row),
    changed: row.changed,
    before: publicImage(row.before, row.target_type),
    after: publicImage(row.after, row.target_type),
  };
}
