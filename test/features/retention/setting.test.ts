import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { retentionRoutes } from '../../../src/features/retention/retention.routes.ts';
import { createRetentionService } from '../../../src/features/retention/retention.service.ts';
import { type Api, openApi } from '../api-keys/open-api.ts';

interface Retention {
  content_days: number | null;
  record_days: number;
  shortens: { at: string; content_days: number } | null;
}

let api: Api;

/** Days go by for what the account keeps after a change of plan. */
const pass = (accountId: string, days: number) =>
  api.db.owner.query(
    'update app.content_graces set until = until - make_interval(days => $2) where account_id = $1',
    [accountId, days],
  );
beforeAll(async () => {
  api = await openApi(async ({ db }) => retentionRoutes(createRetentionService({ database: db.database })));
});
afterAll(() => api.close());

describe('/v1/account/retention', () => {
  it('keeps contents for 90 days where nothing else was said', async () => {
    const { text } = await api.issue({ mode: 'live' });
    const { status, json } = await api.call(text, 'GET', '/v1/account/retention');
    expect([status, json()]).toEqual([
      200,
      { content: 'days', content_days: 90, record_days: 90, shortens: null },
    ]);
  });

  it('is changed, for this account alone', async () => {
    const [{ text, accountId }, { text: other }] = [
      await api.issue({ mode: 'live' }),
      await api.issue({ mode: 'live' }),
    ];
    await api.db.owner.query(`update subscriptions set plan = 'unlimited' where account_id = $1`, [
      accountId,
    ]);
    const patch = (body: object) => api.call(text, 'PATCH', '/v1/account/retention', body);
    const longer = await patch({ content: 'days', content_days: 365 });
    expect(longer.json()).toMatchObject({ content: 'days', content_days: 365, record_days: 365 });
    const none = await patch({ content: 'none' });
    expect(none.json()).toMatchObject({ content: 'none', content_days: null, record_days: 90 });
    expect((await api.call(text, 'GET', '/v1/account/retention')).json()).toEqual(none.json());
    const others = await api.call(other, 'GET', '/v1/account/retention');
    expect(others.json()).toMatchObject({ content_days: 90 });
  });

  it('is limited by the plan; what was kept before stays for 30 days after a change to a smaller one', async () => {
    const { text, accountId } = await api.issue({ mode: 'live' });
    const plan = (id: string) =>
      api.db.owner.query(`update subscriptions set plan = $2, status = 'active' where account_id = $1`, [
        accountId,
        id,
      ]);
    await plan('scale');
    const patch = (days: number) =>
      api.call(text, 'PATCH', '/v1/account/retention', { content: 'days', content_days: days });
    const get = async () => (await api.call(text, 'GET', '/v1/account/retention')).json<Retention>();
    expect((await patch(300)).status).toBe(200);
    await plan('free');
    const now = await get();
    expect(now).toMatchObject({ content_days: 300, record_days: 300, shortens: { content_days: 30 } });
    const days = (Date.parse(now.shortens?.at ?? '') - Date.now()) / 86_400_000;
    expect(Math.round(days)).toBe(30);
    const refused = await patch(31);
    expect([refused.status, refused.json().code]).toEqual([403, 'retention.beyond_plan']);

    await pass(accountId, 30);
    expect(await get()).toMatchObject({ content_days: 30, shortens: null });
    expect((await patch(7)).json()).toMatchObject({ content_days: 7, shortens: null });
  });

  it('goes down in steps where each smaller plan has its own 30 days, whatever plan is bought between', async () => {
    const { text, accountId } = await api.issue({ mode: 'live' });
    const plan = (id: string) =>
      api.db.owner.query(`update subscriptions set plan = $2, status = 'active' where account_id = $1`, [
        accountId,
        id,
      ]);
    const get = async () => (await api.call(text, 'GET', '/v1/account/retention')).json<Retention>();
    await plan('scale');
    await api.call(text, 'PATCH', '/v1/account/retention', { content: 'days', content_days: 300 });
    await plan('starter');
    await pass(accountId, 20);
    await plan('free');
    await plan('starter');
    expect(await get()).toMatchObject({ content_days: 300, shortens: { content_days: 90 } });
    await plan('free');
    expect(await get()).toMatchObject({ content_days: 300, shortens: { content_days: 90 } });
    await pass(accountId, 11);
    expect(await get()).toMatchObject({ content_days: 90, shortens: { content_days: 30 } });
    await pass(accountId, 20);
    expect(await get()).toMatchObject({ content_days: 30, shortens: null });
  });

  it('is as before once the larger plan is back', async () => {
    const { text, accountId } = await api.issue({ mode: 'live' });
    for (const plan of ['starter', 'free', 'starter'])
      await api.db.owner.query(
        `update subscriptions set plan = $2, status = 'active' where account_id = $1`,
        [accountId, plan],
      );
    const kept = (await api.call(text, 'GET', '/v1/account/retention')).json();
    expect(kept).toMatchObject({ content_days: 90, shortens: null });
  });

  it.each([
    {},
    { content: 'days' },
    { content: 'days', content_days: 0 },
    { content: 'none', content_days: 3 },
    { content: 'days', content_days: 3_651 },
  ])('refuses %j', async (body) => {
    const { text } = await api.issue({ mode: 'live' });
    expect((await api.call(text, 'PATCH', '/v1/account/retention', body)).status).toBe(422);
  });

  it('needs scopes', async () => {
    const { text } = await api.issue({ mode: 'live', scopes: ['account:read'] });
    expect((await api.call(text, 'GET', '/v1/account/retention')).status).toBe(200);
    const change = await api.call(text, 'PATCH', '/v1/account/retention', { content: 'none' });
    expect(change.status).toBe(403);
  });
});
