import type { AccountTx } from '../../platform/db/scope.ts';

/** A field that names a session which there is not. */
export interface SessionProblem {
  pointer: string;
  detail: string;
}

/**
 * What is wrong with the field `sessions` of a request.
 * @param ids UUIDs that the field names
 * @param known those that were stored before: they may have been deleted since
 */
export async function sessionProblems(
  tx: AccountTx,
  ids: readonly string[],
  known: readonly string[] = [],
): Promise<SessionProblem[]> {
  const added = ids.filter((id) => !known.includes(id));
  if (added.length === 0) return [];
  const rows = await tx.query<{ id: string }>(
    `select wanted.id from unnest($1::uuid[]) as wanted (id)
     where not exists (select from sessions s where s.id = wanted.id and s.desired <> 'deleted')`,
    [added],
  );
  const unknown = new Set(rows.map(({ id }) => id));
  return ids.flatMap((id, i) =>
    unknown.has(id)
      ? [{ pointer: `/sessions/${i}`, detail: 'is not a session of this account and mode' }]
      : [],
  );
}

export type FindSessionProblems = typeof sessionProblems;
