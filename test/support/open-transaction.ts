import type pg from 'pg';

/**
 * What `work` does in a transaction that stays open around it. It ends with `work`, whatever becomes of the test: one
 * left open would hold back what other files of the run wait for, since the oldest transaction is the server's.
 */
export async function inOpenTransaction<T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    const result = await work(client);
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    client.release();
  }
}
