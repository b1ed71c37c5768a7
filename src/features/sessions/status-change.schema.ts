import { z } from 'zod';
import { sessionView } from './sessions.schema.ts';

/** The `data` of `session.status`. Its status, reason and number are those of then, the rest is as it is now. */
export const statusChangeData = sessionView
  .partial({ name: true, lid: true, display_name: true, pacing: true, linked_at: true, created_at: true })
  .extend({
    code: z
      .string()
      .nullable()
      .meta({ description: 'Same as `status_reason.code`.', example: 'session.timed_out' }),
    detail: z
      .string()
      .nullable()
      .meta({ description: 'Same as `status_reason.detail`.', example: 'Reconnecting.' }),
  })
  .loose()
  .meta({
    id: 'SessionStatus',
    description:
      'A session whose status changed: the `data` of `session.status`. Status, reason and number are those of the change; `lid`, `display_name` and `linked_at` are null where the session has another number now. Of a session that was deleted since, what is not required is missing.',
  });
