import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { retentionRoutes } from '../../../src/features/retention/retention.routes.ts';
import { createRetentionService } from '../../../src/features/retention/retention.service.ts';
import { type Api, openApi } from '../api-keys/open-api.ts';

let api: Api;
beforeAll(async () => {
  api = await openApi(async ({ db }) => retentionRoutes(createRetentionService({ database: db.database })));
});
afterAll(() => api.close());

describe('/v1/account/retention', () => {
  it('keeps contents for 90 days where nothing else was said', async () => {
    const { text } = await api.issue();
    const { status, json } = await api.call(text, 'GET', '/v1/account/retention');
    expect([status, json()]).toEqual([200, { content: 'days', content_days: 90, record_days: 90 }]);
  });

  it('is changed, for this account alone', async () => {
    const [{ text, accountId }, { text: other }] = [await api.issue(), await api.issue()];
    await api.db.owner.query(`update subscriptions set plan = 'unlimited' where account_id = $1`, [
      accountId,
    ]);
    const patch = (body: object) => api.call(text, 'PATCH', '/v1/account/retention', body);
    const longer = await patch({ content: 'days', content_days: 365 });
    expect(longer.json()).toEqual({ content: 'days', content_days: 365, record_days: 365 });
    const none = await patch({ content: 'none' });
    expect(none.json()).toEqual({ content: 'none', content_days: null, record_days: 90 });
    expect((await api.call(text, 'GET', '/v1/account/retention')).json()).toEqual(none.json());
    const others = await api.call(other, 'GET', '/v1/account/retention');
    expect(others.json()).toMatchObject({ content_days: 90 });
  });

  it('is limited by the plan, also for what was set before', async () => {
    const { text, accountId } = await api.issue();
    const plan = (id: string) =>
      api.db.owner.query('update subscriptions set plan = $2 where account_id = $1', [accountId, id]);
    await plan('scale');
    const patch = (days: number) =>
      api.call(text, 'PATCH', '/v1/account/retention', { content: 'days', content_days: days });
    expect((await patch(300)).status).toBe(200);
    await plan('free');
    const now = await api.call(text, 'GET', '/v1/account/retention');
    expect(now.json()).toMatchObject({ content_days: 30 });
    const refused = await patch(31);
    expect([refused.status, refused.json().code]).toEqual([403, 'retention.beyond_plan']);
    expect((await patch(7)).status).toBe(200);
  });

  it.each([
    {},
    { content: 'days' },
    { content: 'days', content_days: 0 },
    { content: 'none', content_days: 3 },
    { content: 'days', content_days: 3_651 },
  ])('refuses %j', async (body) => {
    const { text } = await api.issue();
    expect((await api.call(text, 'PATCH', '/v1/account/retention', body)).status).toBe(422);
  });

  it('needs scopes', async () => {
    const { text } = await api.issue({ scopes: ['account:read'] });
    expect((await api.call(text, 'GET', '/v1/account/retention')).status).toBe(200);
    const change = await api.call(text, 'PATCH', '/v1/account/retention', { content: 'none' });
    expect(change.status).toBe(403);
  });
});
