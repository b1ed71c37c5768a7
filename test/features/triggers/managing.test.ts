import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sessionProblems } from '../../../src/features/sessions/named-sessions.service.ts';
import { triggerRoutes } from '../../../src/features/triggers/triggers.routes.ts';
import { createTriggersService } from '../../../src/features/triggers/triggers.service.ts';
import { fromId, newUuid, toId } from '../../../src/lib/ids.ts';
import { systemClock } from '../../../src/lib/system-clock.ts';
import { createOutboundHttp } from '../../../src/platform/net/outbound-http.ts';
import { seedAccount, seedSession } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { inOpenTransaction } from '../../support/open-transaction.ts';
import { type Api, faulty, openApi } from '../api-keys/open-api.ts';

const PATH = '/v1/triggers';
const URL = 'https://hooks.example.com/reply';

interface Trigger {
  [field: string]: unknown;
  id: string;
  secret: string | null;
}

let api: Api;
let test: { text: string; accountId: string };
let live: typeof test;
const outbound = createOutboundHttp({
  resolve: async (host) => [{ address: host.startsWith('inside') ? '10.0.0.7' : '93.184.216.34', family: 4 }],
});
beforeAll(async () => {
  api = await openApi(async ({ db, faults }) => {
    const parts = { database: faulty(db.database, faults), vault: db.vault, newUuid, randomBytes };
    const policyFor = (mode: string) =>
      ({ https: mode === 'live' ? 'required' : 'optional', loopback: mode === 'test' }) as const;
    const deps = { ...parts, clock: systemClock, outbound, policyFor, sessionProblems };
    return triggerRoutes(createTriggersService(deps));
  });
  test = await api.issue();
  live = await api.issue({ mode: 'live' }, test.accountId);
});
afterAll(async () => {
  await outbound.close();
  await api.close();
});

const BASE = { name: 'login', pattern: 'login', reply: 'Hi {{name}}' };
const create = (body: object, key = test.text, headers = {}) => api.call(key, 'POST', PATH, body, headers);
const created = async (body: object = {}, key = test.text) => {
  const answer = await create({ ...BASE, ...body }, key);
  if (answer.status !== 201) throw new Error(answer.text);
  return answer.json<Trigger>();
};
const change = (id: string, body: object, key = test.text) => api.call(key, 'PATCH', `${PATH}/${id}`, body);
const show = (id: string, key = test.text) => api.call(key, 'GET', `${PATH}/${id}`);
const secretOf = async (id: string) =>
  (await api.call(test.text, 'GET', `${PATH}/${id}/secret`)).json<{ secret: string | null }>().secret;
const problems = (answer: Awaited<ReturnType<typeof create>>) => [
  answer.status,
  answer.json().code,
  answer.json().errors?.map(({ pointer, detail }) => `${pointer} ${detail}`),
];

describe('a plan without triggers', () => {
  it('takes no new trigger in live mode, and none that is switched on; what is there stays', async () => {
    const { text, accountId } = await api.issue({ mode: 'live' });
    const { text: testKey } = await api.issue({}, accountId);
    const [on, off] = [await created({}, text), await created({ enabled: false }, text)];
    await api.db.owner.query(`update subscriptions set plan = 'free' where account_id = $1`, [accountId]);

    const refused = [403, 'trigger.not_in_plan', undefined];
    expect(problems(await create(BASE, text))).toEqual(refused);
    expect(problems(await change(off.id, { enabled: true }, text))).toEqual(refused);
    expect((await change(on.id, { name: 'still mine' }, text)).json()).toMatchObject({ enabled: true });
    expect((await create(BASE, testKey)).status).toBe(201);

    await api.db.owner.query(`update subscriptions set plan = 'starter' where account_id = $1`, [accountId]);
    expect((await change(off.id, { enabled: true }, text)).status).toBe(200);
    expect((await create(BASE, text)).status).toBe(201);
  });
});

describe('creating a trigger', () => {
  it('takes a name, a phrase and a reply', async () => {
    const answer = await create(BASE);
    expect(answer.status).toBe(201);
    expect(answer.json<Trigger>()).toMatchObject({
      ...BASE,
      id: expect.stringMatching(/^trg_/),
      mode: 'test',
      sessions: null,
      match: 'exact',
      fold_case: true,
      fold_accents: true,
      reply_url: null,
      fallback_reply: null,
      priority: 0,
      cooldown_seconds: 0,
      active_hours: null,
      include_groups: false,
      max_in_a_row: 5,
      enabled: true,
      fired_count: 0,
      last_fired_at: null,
      secret: null,
    });
  });

  it('takes everything else, and shows it', async () => {
    const body = {
      name: 'support',
      sessions: [toId('session', await seedSession(api.db, test.accountId))],
      match: 'regex',
      pattern: '^(help|hilfe)\\b',
      fold_case: false,
      fold_accents: false,
      reply: null,
      reply_url: URL,
      fallback_reply: 'Back soon, {{ name }}: {{code}}',
      priority: -3,
      cooldown_seconds: 60,
      active_hours: { time_zone: 'Asia/Kolkata', days: [5, 1, 1], from: '22:00', to: '06:00' },
      include_groups: true,
      max_in_a_row: 2,
      enabled: false,
    };
    const { secret, ...trigger } = await created(body);
    const expected = { ...body, active_hours: { ...body.active_hours, days: [1, 5] } };
    expect(trigger).toMatchObject(expected);
    expect((await show(trigger.id)).json()).toEqual(trigger);
    expect(secret).toMatch(/^whsec_/);
    expect(await secretOf(trigger.id)).toBe(secret);
    const { rows } = await api.db.owner.query('select t::text as row from triggers t where name = $1', [
      'support',
    ]);
    expect(rows[0].row).not.toContain(Buffer.from(secret ?? '').toString('hex'));
  });

  it('takes the name of a time zone in any case, and keeps it as IANA spells it', async () => {
    const zone = async (time_zone: string) => {
      const { active_hours } = await created({ active_hours: { time_zone, from: '09:00', to: '18:00' } });
      return active_hours;
    };
    expect(await zone('aSiA/kOlKaTa')).toMatchObject({ time_zone: 'Asia/Kolkata' });
    expect(await zone('asia/calcutta')).toMatchObject({ time_zone: 'Asia/Calcutta' });
    expect(await zone('utc')).toMatchObject({ time_zone: 'UTC' });
  });

  it('may be for every message, with an event alone', async () => {
    const trigger = await created({ match: 'any', pattern: undefined, reply: undefined });
    expect(trigger).toMatchObject({ match: 'any', pattern: null, reply: null, secret: null });
    expect(await secretOf(trigger.id)).toBeNull();
  });

  it.each<[object, string[]]>([
    [{ name: '' }, ['/name must have at least 1 character']],
    [{ match: 'fuzzy' }, [expect.stringMatching(/^\/match must be one of/)]],
    [{ pattern: null }, ['/pattern is required']],
    [{ pattern: ' ' }, ['/pattern has nothing to look for']],
    [{ match: 'any' }, ['/pattern must be null where `match` is `any`']],
    [{ match: 'regex', pattern: '(x' }, ['/pattern is no pattern: missing closing ): `(x`']],
    [
      { match: 'regex', pattern: '(a?){1000}'.repeat(50) },
      ['/pattern is too large: use fewer or smaller repetitions'],
    ],
    [{ match: 'regex', pattern: '(?<!a)b' }, [expect.stringMatching(/^\/pattern is no pattern: /)]],
    [{ pattern: 'x'.repeat(501) }, ['/pattern must have at most 500 characters']],
    [
      { reply: '{{phone}} {{token}}' },
      [
        '/reply has an unknown variable {{token}}; there are `{{phone}}`, `{{name}}`, `{{message}}`, `{{date}}`, `{{code}}`',
      ],
    ],
    [{ reply: 'x'.repeat(4097) }, ['/reply must have at most 4096 characters']],
    [{ reply_url: URL }, ['/reply must be null where there is a `reply_url`; use `fallback_reply`']],
    [{ fallback_reply: 'x' }, ['/fallback_reply needs a `reply_url` that it stands in for']],
    [
      { reply: null, reply_url: URL, fallback_reply: '{{x}}' },
      [expect.stringMatching(/^\/fallback_reply has an unknown variable \{\{x\}\}/)],
    ],
    [
      { active_hours: { time_zone: 'Mars/Olympus', from: '09:00', to: '18:00' } },
      ['/active_hours/time_zone is no time zone; use an IANA name such as Asia/Kolkata'],
    ],
    [
      { active_hours: { time_zone: 'UTC', from: '24:00', to: '9:00' } },
      ['/active_hours/from must be a time such as 09:30', '/active_hours/to must be a time such as 09:30'],
    ],
    [
      { active_hours: { time_zone: 'UTC', days: [0], from: '09:00', to: '18:00' } },
      ['/active_hours/days/0 must be at least 1'],
    ],
    [{ max_in_a_row: 0 }, ['/max_in_a_row must be at least 1']],
    [{ cooldown_seconds: -1 }, ['/cooldown_seconds must be at least 0']],
    [{ priority: 0.5 }, [expect.stringMatching(/^\/priority /)]],
    [{ phrase: 'x' }, ['/phrase is not a known field']],
  ])('refuses %j', async (body, errors) => {
    expect(problems(await create({ ...BASE, ...body }))).toEqual([422, 'request.invalid', errors]);
  });

  it('refuses reply URLs that cannot be called', async () => {
    const refused = async (url: string, key = test.text) =>
      problems(await create({ ...BASE, reply: null, reply_url: url }, key));
    const code = 'trigger.url_refused';
    expect(await refused('https://inside.example.com')).toEqual([
      422,
      code,
      ['/reply_url leads to an address that is not public'],
    ]);
    expect((await refused('not a url'))[1]).toBe(code);
    expect((await refused('https://me:pw@hooks.example.com'))[1]).toBe(code);
    expect(await refused('http://hooks.example.com', live.text)).toEqual([
      422,
      code,
      ['/reply_url must begin with https://'],
    ]);
    await created({ reply: null, reply_url: 'http://127.0.0.1:4000/reply' });
  });

  it('refuses sessions of others', async () => {
    const own = toId('session', await seedSession(api.db, test.accountId));
    const foreign = toId('session', await seedSession(api.db, await seedAccount(api.db)));
    const other = toId('session', await seedSession(api.db, test.accountId, { mode: 'live' }));
    expect(problems(await create({ ...BASE, sessions: [own, foreign, other] }))).toEqual([
      422,
      'trigger.session_not_found',
      [
        '/sessions/1 is not a session of this account and mode',
        '/sessions/2 is not a session of this account and mode',
      ],
    ]);
  });

  it('shows the secret once: a repeat has none', async () => {
    const key = { 'idempotency-key': newUuid() };
    const body = { ...BASE, reply: null, reply_url: URL };
    const first = (await create(body, test.text, key)).json<Trigger>();
    const again = (await create(body, test.text, key)).json<Trigger>();
    expect([again.id, again.secret]).toEqual([first.id, null]);
    expect(await secretOf(first.id)).toBe(first.secret);
  });

  it('ends at 200 in a mode', async () => {
    const { text: key, accountId } = await api.issue();
    await api.db.owner.query(
      `insert into triggers (id, account_id, mode, name, match)
       select gen_random_uuid(), $1, 'test', 'x', 'any' from generate_series(1, 199)`,
      [accountId],
    );
    const answers = await Promise.all([create(BASE, key), create(BASE, key)]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409]);
  });
});

describe('changing a trigger', () => {
  it('changes what is named and nothing else', async () => {
    const { secret: _secret, ...before } = await created({ priority: 7 });
    const after = (await change(before.id, { pattern: 'anmelden', enabled: false })).json<Trigger>();
    expect(after).toEqual({
      ...before,
      pattern: 'anmelden',
      enabled: false,
      updated_at: expect.any(String),
    });
    expect((await show(before.id)).json()).toEqual(after);
  });

  it('looks at the whole of what comes out', async () => {
    const { id } = await created();
    expect(problems(await change(id, { match: 'any' }))[2]).toEqual([
      '/pattern must be null where `match` is `any`',
    ]);
    expect(problems(await change(id, { pattern: null }))[2]).toEqual(['/pattern is required']);
    expect(problems(await change(id, { reply_url: URL }))[2]).toEqual([
      '/reply must be null where there is a `reply_url`; use `fallback_reply`',
    ]);
    expect((await change(id, { match: 'any', pattern: null })).status).toBe(200);
  });

  it('makes a secret with the first reply URL, and keeps it', async () => {
    const { id } = await created();
    expect((await change(id, { reply: null, reply_url: URL })).status).toBe(200);
    const secret = await secretOf(id);
    expect(secret).toMatch(/^whsec_/);
    await change(id, { reply_url: null });
    await change(id, { reply_url: `${URL}/2`, fallback_reply: 'later' });
    expect(await secretOf(id)).toBe(secret);
    expect((await change(id, { reply_url: null })).status).toBe(422);
  });

  it('refuses what cannot be without waiting for the trigger, and looks again where that changed meanwhile', async () => {
    const { id } = await created({ match: 'contains', pattern: '(x' });
    const uuid = fromId('trigger', id);
    let waiting: ReturnType<typeof change> | undefined;
    await inOpenTransaction(api.db.owner, async (client) => {
      await client.query('select from triggers where id = $1 for update', [uuid]);
      const refused = await change(id, { match: 'regex' });
      expect(problems(refused)[2]).toEqual(['/pattern is no pattern: missing closing ): `(x`']);
      await client.query(`update triggers set match = 'regex', pattern = 'y' where id = $1`, [uuid]);
      waiting = change(id, { pattern: '(z' });
      await eventually(
        async () => {
          const { rows } = await api.db.owner.query(
            `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
          );
          return rows.length;
        },
        (waits) => waits === 1,
      );
    });
    const answer = await waiting;
    expect(answer && problems(answer)[2]).toEqual(['/pattern is no pattern: missing closing ): `(z`']);
    expect((await show(id)).json()).toMatchObject({ match: 'regex', pattern: 'y' });
  });

  it('keeps sessions that were deleted since', async () => {
    const session = await seedSession(api.db, test.accountId);
    const sessions = [toId('session', session)];
    const { id } = await created({ sessions });
    await api.db.owner.query(`update sessions set desired = 'deleted' where id = $1`, [session]);
    expect((await change(id, { sessions, name: 'still' })).status).toBe(200);
    expect((await change(id, { sessions: null })).json()).toMatchObject({ sessions: null, name: 'still' });
  });
});

describe('reading and deleting', () => {
  it('lists newest first, page by page', async () => {
    const { text: key } = await api.issue();
    const ids: string[] = [];
    for (const name of ['a', 'b', 'c']) ids.unshift((await created({ name }, key)).id);
    const page = async (query: string) =>
      (await api.call(key, 'GET', `${PATH}?limit=2${query}`)).json<{
        data: Trigger[];
        next_cursor: string;
      }>();
    const first = await page('');
    const second = await page(`&after=${first.next_cursor}`);
    expect([...first.data, ...second.data].map(({ id }) => id)).toEqual(ids);
  });

  it('shows a key only what is of its account and mode', async () => {
    const { id } = await created();
    const stranger = await api.issue();
    for (const key of [live.text, stranger.text]) {
      for (const [method, path, body] of [
        ['GET', id],
        ['PATCH', id, {}],
        ['DELETE', id],
        ['GET', `${id}/secret`],
      ] as const) {
        const answer = await api.call(key, method, `${PATH}/${path}`, body);
        expect([method, answer.status, answer.json().code]).toEqual([method, 404, 'trigger.not_found']);
      }
    }
    expect((await show('ses_01h455vb4pex5vsknk084sn02q')).status).toBe(404);
  });

  it('asks for scopes', async () => {
    const { id } = await created();
    const reader = (await api.issue({ scopes: ['triggers:read'] }, test.accountId)).text;
    expect((await show(id, reader)).status).toBe(200);
    expect((await create(BASE, reader)).status).toBe(403);
    expect((await change(id, {}, reader)).status).toBe(403);
    expect((await api.call(reader, 'DELETE', `${PATH}/${id}`)).status).toBe(403);
    expect((await api.call(reader, 'GET', `${PATH}/${id}/secret`)).status).toBe(403);
    const writer = (await api.issue({ scopes: ['triggers:write'] }, test.accountId)).text;
    expect((await show(id, writer)).status).toBe(403);
  });

  it('deletes with all that it remembers of senders', async () => {
    const { id } = await created();
    const uuid = fromId('trigger', id);
    await api.db.owner.query(
      `insert into trigger_senders (trigger_id, account_id, mode, contact, last_fired_at) values ($1, $2, 'test', '1', now())`,
      [uuid, test.accountId],
    );
    expect((await api.call(test.text, 'DELETE', `${PATH}/${id}`)).status).toBe(204);
    expect((await show(id)).status).toBe(404);
    const { rows } = await api.db.owner.query('select from trigger_senders where trigger_id = $1', [uuid]);
    expect(rows).toEqual([]);
  });
});
