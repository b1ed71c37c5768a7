import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TARGET_NAMES, TARGETS } from '../../../src/features/audit/audit.model.ts';
import { EVENT_TYPES, sealEventData } from '../../../src/features/events/events.events.ts';
import { sealContent } from '../../../src/features/messages/message-content.ts';
import { LEFT_OUT } from '../../../src/features/privacy/export-tables.model.ts';
import { addExport } from '../../../src/features/privacy/exports.store.ts';
import { exportQueue } from '../../../src/features/privacy/privacy.jobs.ts';
import { sweepExports, workOnExport } from '../../../src/features/privacy/work-exports.ts';
import { newUuid, toId } from '../../../src/lib/ids.ts';
import type { AccountTx } from '../../../src/platform/db/scope.ts';
import { eventually } from '../../support/eventually.ts';
import { unzip } from '../../support/unzip.ts';
import { announce } from '../events/open-events.ts';
import { accountTables, fillTables } from './fill-tables.ts';
import { openPrivacy, type Privacy } from './open-privacy.ts';

interface ExportView {
  id: string;
  status: string;
  url: string | null;
  bytes: number | null;
  progress: { parts_done: number; parts_total: number; rows_done: number };
}

interface Manifest {
  account: string;
  entries: { path: string; rows: number | null; bytes: number; sha256: string }[];
}

let privacy: Privacy;
beforeAll(async () => {
  privacy = await openPrivacy();
  await privacy.parts.jobs.work(
    exportQueue,
    ({ export_id }, job) => workOnExport(privacy.parts, export_id, job.lastAttempt),
    { concurrency: 1 },
  );
});
afterAll(() => privacy.close());

const request = async (key: string) =>
  (await privacy.call(key, 'POST', '/v1/account/export')).json<ExportView>();
const read = async (key: string, id: string) =>
  (await privacy.call(key, 'GET', `/v1/account/exports/${id}`)).json<ExportView>();
const finished = (key: string, id: string) =>
  eventually(
    () => read(key, id),
    ({ status }) => status === 'ready',
  );

/** Downloads and unpacks an archive. */
async function unpack(url: string | null) {
  const response = await fetch(`${privacy.edge.url}${url}`);
  const files = unzip(Buffer.from(await response.arrayBuffer()));
  const read = (path: string) => files.get(path) ?? Buffer.alloc(0);
  const lines = (path: string) =>
    read(path)
      .toString()
      .trim()
      .split('\n')
      .map((line): Record<string, unknown> => JSON.parse(line));
  return { read, lines };
}

/** An event of every type, with the data that its writers give it. */
async function announceEverything(accountId: string): Promise<void> {
  const cipher = await privacy.db.vault.of(accountId);
  for (const type of Object.keys(EVENT_TYPES)) {
    const [id, session, message] = [newUuid(), newUuid(), newUuid()];
    const data: Record<string, object> = {
      session: { id: session, status: 'connected', phone: '919876543210', code: null, detail: null },
      message: { status: 'sent', sent_at: new Date() },
      trigger: {
        ...{ trigger_id: newUuid(), name: 'Login', reply_message_id: newUuid() },
        ...sealEventData({ code: 'A1B2' }, id, cipher),
      },
      account: {
        ...{ id: newUuid(), kind: 'failing_keys', subject: newUuid(), detail: {} },
        ...{ factor: 0.25, restricted_until: new Date() },
      },
    };
    const [kind = ''] = type.split('.');
    const about = {
      sessionId: ['session', 'message', 'trigger'].includes(kind) ? session : null,
      messageId: kind === 'message' || kind === 'trigger' ? message : null,
    };
    await announce(privacy.db.owner, { id, accountId, type, ...about, data: data[kind] ?? { kind } });
  }
}

/** An entry of the audit log for each kind of target, with every column that holds an id. */
async function changeEverything(accountId: string): Promise<void> {
  for (const [i, table] of Object.keys(TARGETS).entries()) {
    const target = table === 'provider_subscriptions' ? 'sub_1' : newUuid();
    const ids = {
      user_id: newUuid(),
      invited_by: newUuid(),
      rotated_to: newUuid(),
      session_ids: [newUuid()],
    };
    await privacy.db.owner.query(
      `insert into audit_log (id, account_id, at, actor_type, actor_id, action, target_type, target_id, before, after)
       values ($1, $2, now(), $3, $4, 'updated', $5, $6, $7, $7)`,
      [
        newUuid(),
        accountId,
        ['api_key', 'user', 'system'][i % 3],
        newUuid(),
        table,
        target,
        { id: target, ...ids },
      ],
    );
  }
}

describe('an export', () => {
  it('holds every table with rows of the account but those left out for a reason, and its files', async () => {
    const { id, live } = await privacy.account();
    await fillTables(privacy.db, id, 'mine');
    await privacy.db.owner.query('delete from account_closures; delete from account_exports');
    // What is filled in for contents cannot be opened.
    await privacy.db.owner.query('update messages set content = null where account_id = $1', [id]);
    await privacy.files.put(`media/${toId('account', id)}/photo.jpg`, Readable.from(['jpeg']));
    await privacy.db.owner.query(
      'insert into account_data_keys values ($1, $2) on conflict (account_id) do nothing',
      [id, privacy.db.vault.newWrappedKey(id)],
    );
    const asked = await request(live);
    expect(asked.status).toMatch(/queued|running/);
    const { url, bytes, progress } = await finished(live, asked.id);
    const archive = await unpack(url);

    const manifest: Manifest = JSON.parse(archive.read('manifest.json').toString());
    const expected = [...(await accountTables(privacy.db)), 'accounts'].filter((name) => !(name in LEFT_OUT));
    const jsonl = manifest.entries.filter((entry) => entry.rows !== null);
    expect(jsonl.map((entry) => entry.path.replace('.jsonl', '')).toSorted()).toEqual(
      expected.map((name) => name.replace('app.', '')).toSorted(),
    );
    for (const entry of manifest.entries) {
      const content = archive.read(entry.path);
      expect(createHash('sha256').update(content).digest('hex')).toBe(entry.sha256);
      expect(content.length).toBe(entry.bytes);
      if (entry.rows !== null) expect(content.toString().split('\n').length - 1, entry.path).toBe(entry.rows);
    }
    expect(jsonl.filter(({ path, rows }) => rows === 0 && !path.startsWith('account_closures'))).toEqual([]);
    expect(manifest.entries.map((entry) => entry.path)).toContain(
      `files/media/${toId('account', id)}/photo.jpg`,
    );
    expect(manifest.account).toBe(toId('account', id));
    expect(progress).toEqual({
      parts_done: manifest.entries.length,
      parts_total: manifest.entries.length,
      rows_done: jsonl.reduce((sum, { rows }) => sum + (rows ?? 0), 0),
    });
    expect(bytes).toBeGreaterThan(500);
  });

  it('shows ids as the API does, whatever the table, the kind of event and what was changed', async () => {
    const { id, live } = await privacy.account();
    await fillTables(privacy.db, id, 'ours');
    const { owner } = privacy.db;
    await owner.query('delete from account_closures; delete from account_exports');
    await owner.query('update messages set content = null where account_id = $1', [id]);
    await announceEverything(id);
    await changeEverything(id);

    const { url } = await finished(live, (await request(live)).id);
    const archive = await unpack(url);
    const manifest: Manifest = JSON.parse(archive.read('manifest.json').toString());
    for (const { path } of manifest.entries) {
      for (const line of archive.read(path).toString().split('\n')) {
        expect(line.match(/.{0,60}[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/i)?.[0], path).toBeUndefined();
      }
    }
    const targets = archive.lines('audit_log.jsonl').map((row) => row['target_type']);
    expect(targets).toEqual(expect.arrayContaining(TARGET_NAMES));
    const fired = archive.lines('events.jsonl').find((row) => row['type'] === 'trigger.fired');
    expect(fired).toMatchObject({ data: { code: 'A1B2', trigger_id: expect.stringMatching(/^trg_/) } });
    expect(JSON.stringify(fired)).not.toContain('sealed');
    const suspicion = archive
      .lines('events.jsonl')
      .find(({ type }) => type === 'account.suspicious_activity');
    expect(suspicion).toMatchObject({ data: { subject: expect.stringMatching(/^key_/), count: 1 } });
  });

  it('says who the members are, and nothing of their other accounts', async () => {
    const [account, other] = [await privacy.account(), await privacy.account()];
    const { owner } = privacy.db;
    const [ada, ben] = [newUuid(), newUuid()];
    await owner.query(
      `insert into users (id, email, name, time_zone, locale, firebase_project, firebase_uid)
       values ($1, 'ada@example.com', 'Ada', 'Asia/Kolkata', 'hi', 'demo', 'uid-of-ada'),
         ($2, 'ben@example.com', 'Ben', 'UTC', 'en', null, null)`,
      [ada, ben],
    );
    await owner.query(
      `insert into members (account_id, user_id, role) values ($1, $3, 'viewer'), ($2, $3, 'owner'), ($2, $4, 'owner')`,
      [account.id, other.id, ada, ben],
    );
    const { url } = await finished(account.live, (await request(account.live)).id);
    const archive = await unpack(url);
    expect(archive.lines('members.jsonl')).toEqual([
      {
        account_id: toId('account', account.id),
        user_id: toId('user', ada),
        role: 'viewer',
        created_at: expect.any(String),
        email: 'ada@example.com',
        name: 'Ada',
        time_zone: 'Asia/Kolkata',
        locale: 'hi',
        avatar_url: null,
      },
    ]);
    for (const { path } of JSON.parse(archive.read('manifest.json').toString()).entries) {
      expect(archive.read(path).toString(), path).not.toMatch(/ben@example|uid-of-ada/);
    }
  });

  it('opens messages, and holds no secret and nothing of others', async () => {
    const [account, other] = [await privacy.account(), await privacy.account()];
    const { owner, vault } = privacy.db;
    for (const [accountId, body] of [
      [account.id, 'hello, world'],
      [other.id, 'not yours'],
    ] as const) {
      const id = newUuid();
      const content = sealContent({ text: { body } }, id, await vault.of(accountId));
      await owner.query(
        `insert into messages (id, account_id, mode, session_id, direction, type, wire_id, status, accepted_at, content)
         values ($1, $2, 'live', $3, 'outbound', 'text', 'wire', 'sent', now(), $4)`,
        [id, accountId, newUuid(), content],
      );
    }
    const { id } = await request(account.live);
    const { url } = await finished(account.live, id);
    const archive = await unpack(url);
    const [message, ...rest] = archive.lines('messages.jsonl');
    expect(message).toMatchObject({
      id: expect.stringMatching(/^msg_/),
      account_id: toId('account', account.id),
      content: { text: { body: 'hello, world' } },
    });
    expect(rest).toEqual([]);
    const keys = archive.lines('api_keys.jsonl');
    expect(keys).toHaveLength(2);
    for (const key of keys) expect(key).not.toHaveProperty('hash');
    const [mail] = await privacy.mails(account.id);
    expect(mail).toMatchObject({ template: 'export_ready', text: expect.stringContaining(id) });
    expect(mail?.text).not.toContain('http');
  });

  it('is one at a time', async () => {
    const { live } = await privacy.account();
    const ids = new Set(
      (await Promise.all([request(live), request(live), request(live)])).map(({ id }) => id),
    );
    expect(ids.size).toBe(1);
    const [id = ''] = ids;
    await finished(live, id);
    expect((await request(live)).id).not.toBe(id);
  });

  it('is a new one where that under way ends while another is asked for', async () => {
    const { id: accountId } = await privacy.account();
    const [first, second] = [newUuid(), newUuid()];
    const insert = (tx: AccountTx, id: string) => addExport(tx, { id, accountId, at: new Date() });
    await privacy.db.database.account({ accountId }, (tx) => insert(tx, first));
    const asked = await privacy.db.database.account({ accountId }, async (tx) => {
      let statements = 0;
      const query: typeof tx.query = async (text, values) => {
        if (++statements === 2) {
          await privacy.db.owner.query(`update account_exports set status = 'failed' where id = $1`, [first]);
        }
        return tx.query(text, values);
      };
      return insert({ ...tx, query }, second);
    });
    expect(asked).toMatchObject({ id: second, account_id: accountId, status: 'queued' });
  });

  it('is that of the request before, which waits for its answer, where two come at once', async () => {
    const { id: accountId } = await privacy.account();
    const { database } = privacy.db;
    const ids = [newUuid(), newUuid()];
    const rows = await Promise.all(
      ids.map((id) =>
        database.account({ accountId }, async (tx) => {
          const row = await addExport(tx, { id, accountId, at: new Date() });
          // So that the other one finds a row that is not committed yet.
          await tx.query('select pg_sleep(0.2)');
          return row;
        }),
      ),
    );
    expect(rows[0]?.id).toBe(rows[1]?.id);
    expect(ids).toContain(rows[0]?.id);
  });

  it('is not for test keys, and not for others', async () => {
    const [account, other] = [await privacy.account(), await privacy.account()];
    const { id } = await request(account.live);
    const answers = [
      await privacy.call(account.test, 'POST', '/v1/account/export'),
      await privacy.call(other.live, 'GET', `/v1/account/exports/${id}`),
    ];
    expect(answers.map(({ status }) => status)).toEqual([403, 404]);
    expect((await privacy.call(other.live, 'GET', '/v1/account/exports')).json()).toMatchObject({ data: [] });
  });

  it('is removed after seven days', async () => {
    const { id: accountId, live } = await privacy.account();
    const { id } = await request(live);
    await finished(live, id);
    privacy.clock.ahead = 7 * 86_400_000 + 1_000;
    await sweepExports(privacy.parts);
    privacy.clock.ahead = 0;
    expect(await read(live, id)).toMatchObject({ status: 'expired', url: null });
    expect(await privacy.files.list(`exports/${toId('account', accountId)}`)).toEqual([]);
  });

  it('fails where it cannot be written, leaving nothing behind, and can be asked for again', async () => {
    const { id: accountId, live } = await privacy.account();
    const id = newUuid();
    await privacy.db.owner.query(
      `insert into account_exports (id, account_id, created_at) values ($1, $2, now())`,
      [id, accountId],
    );
    await privacy.db.owner.query(
      `insert into messages (id, account_id, mode, session_id, direction, type, wire_id, status, accepted_at, content)
       values ($1, $2, 'live', $1, 'outbound', 'text', 'wire', 'sent', now(), 'not sealed')`,
      [newUuid(), accountId],
    );
    await expect(workOnExport(privacy.parts, id, true)).rejects.toThrow();
    expect(await read(live, toId('accountExport', id))).toMatchObject({ status: 'failed', url: null });
    expect(await privacy.files.list(`exports/${toId('account', accountId)}`)).toEqual([]);
    await privacy.db.owner.query('update messages set content = null where account_id = $1', [accountId]);
    await finished(live, (await request(live)).id);
  });
});
