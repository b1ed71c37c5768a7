import { newUuid } from '../../../src/lib/ids.ts';
import type { TestDatabase } from '../../support/database.ts';

interface Column {
  name: string;
  type: string;
  required: boolean;
  /** A value that a check allows, where it lists them. */
  allowed: string | null;
  /** Some check names the column. */
  checked: boolean;
}

const COLUMNS = `
  select a.attname as name, a.atttypid::regtype::text as type, a.attnotnull and not a.atthasdef as required,
    exists (select from pg_constraint c where c.conrelid = a.attrelid and c.contype = 'c' and a.attnum = any(c.conkey)) as checked,
    (select substring(pg_get_constraintdef(c.oid) from 'ARRAY\\[\\(*''?([^'',\\]):]+)')
     from pg_constraint c where c.conrelid = a.attrelid and c.contype = 'c' and c.conkey = array[a.attnum]
       and pg_get_constraintdef(c.oid) like '%ANY (ARRAY[%' limit 1) as allowed
  from pg_attribute a where a.attrelid = $1::regclass and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''`;

/** Tables with rows of accounts, found in the catalogue. */
export async function accountTables({ owner }: TestDatabase): Promise<string[]> {
  const { rows } = await owner.query<{ name: string }>('select name from app.account_tables()');
  return rows.map(({ name }) => name);
}

/**
 * Puts a row of the account into every table that has such rows, with the trace in every column that can hold it and an id in every
 * column of ids. Foreign
 * keys are not checked meanwhile, and nothing is triggered.
 * @returns the tables filled
 */
export async function fillTables(db: TestDatabase, accountId: string, trace: string): Promise<string[]> {
  const filled: string[] = [];
  const client = await db.owner.connect();
  try {
    await client.query('set session_replication_role = replica');
    for (const table of await accountTables(db)) {
      const { rows: has } = await client.query(`select from ${table} where account_id = $1`, [accountId]);
      if (has.length > 0) continue;
      const { rows: columns } = await client.query<Column>(COLUMNS, [table]);
      const row = columns.flatMap((column) => {
        const value = valueOf(column, accountId, trace);
        return value === undefined ? [] : [[column.name, value] as const];
      });
      const names = row.map(([name]) => `"${name}"`).join(', ');
      const places = row.map((_, i) => `$${i + 1}`).join(', ');
      await client.query(
        `insert into ${table} (${names}) values (${places})`,
        row.map(([, value]) => value),
      );
      filled.push(table);
    }
  } finally {
    await client.query('reset session_replication_role');
    client.release();
  }
  return filled;
}

/** `undefined` leaves the column to its default. */
function valueOf(
  { name, type, required, allowed, checked }: Column,
  accountId: string,
  trace: string,
): unknown {
  if (name === 'account_id') return accountId;
  if (name === 'email')
    return `${newUuid().replaceAll('-', '')}@${trace.split(' ').at(-1)?.toLowerCase()}.example`.slice(0, 254);
  if (allowed !== null) return required ? allowed : undefined;
  if (checked && !required) return undefined;
  const traces: Record<string, () => unknown> = {
    text: () => trace,
    jsonb: () => JSON.stringify({ trace }),
    bytea: () => Buffer.from(trace),
    'text[]': () => [trace],
    uuid: newUuid,
    'uuid[]': () => [newUuid()],
  };
  const others: Record<string, () => unknown> = {
    'timestamp with time zone': () => new Date(),
    date: () => new Date(),
    inet: () => '192.0.2.1',
    cidr: () => '192.0.2.0/24',
    boolean: () => false,
  };
  const make = traces[type] ?? (required ? (others[type] ?? (() => 1)) : undefined);
  return make?.();
}

/** Tables of the whole database with a row in which a needle occurs, as text or as bytes. */
export async function findTraces({ owner }: TestDatabase, needles: readonly string[]): Promise<string[]> {
  const { rows: tables } = await owner.query<{ name: string }>(
    `select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'm') and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_toast'`,
  );
  const patterns = needles.flatMap((needle) => [`%${needle}%`, `%${Buffer.from(needle).toString('hex')}%`]);
  const found: string[] = [];
  for (const { name } of tables) {
    const { rowCount } = await owner.query(
      `select from ${name} t where row_to_json(t)::text ilike any($1::text[]) limit 1`,
      [patterns],
    );
    if (rowCount !== 0) found.push(name);
  }
  return found;
}
