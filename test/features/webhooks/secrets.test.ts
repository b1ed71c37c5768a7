import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { secretsOf, type WebhookEndpointRow } from '../../../src/features/webhooks/webhooks.model.ts';
import { type Endpoint, openWebhooksApi, type WebhooksApi } from './open-webhooks.ts';

const DAY_MS = 86_400_000;
const PATH = '/v1/webhook-endpoints';

interface Secrets {
  secret: string;
  previous_secret: string | null;
  previous_secret_until: string | null;
}

let api: WebhooksApi;
let key: string;
let accountId: string;
beforeAll(async () => {
  api = await openWebhooksApi();
  ({ text: key, accountId } = await api.issue());
});
afterAll(() => api.close());

const reveal = async (id: string) => (await api.call(key, 'GET', `${PATH}/${id}/secret`)).json<Secrets>();
const rotate = (id: string, body?: object, headers = {}) =>
  api.call(key, 'POST', `${PATH}/${id}/rotate-secret`, body, headers);
/** What the endpoint signs with at an instant. */
const signing = async (uuid: string, at: Date) => {
  const { rows } = await api.db.owner.query<WebhookEndpointRow>(
    'select * from webhook_endpoints where id = $1',
    [uuid],
  );
  const [row] = rows;
  return row && secretsOf(row, await api.db.vault.of(accountId), at);
};

describe('the secret of an endpoint', () => {
  it('is whsec_ and 32 random bytes, and can be revealed', async () => {
    const [one, two] = [await api.createEndpoint(key), await api.createEndpoint(key)];
    expect(Buffer.from(one.secret?.slice('whsec_'.length) ?? '', 'base64')).toHaveLength(32);
    expect(one.secret).not.toBe(two.secret);
    expect(await reveal(one.id)).toEqual({
      secret: one.secret,
      previous_secret: null,
      previous_secret_until: null,
    });
  });

  it('signs beside its successor for a day, or as long as is said', async () => {
    const { id, uuid, secret: first } = await api.createEndpoint(key);
    const before = Date.now();
    const { status, json } = await rotate(id);
    const second = json<Endpoint>();
    expect(status).toBe(200);
    expect(second.secret).not.toBe(first);
    const until = Date.parse(second.previous_secret_until ?? '');
    expect(until).toBeGreaterThanOrEqual(before + DAY_MS);
    expect(until).toBeLessThanOrEqual(Date.now() + DAY_MS);
    expect(await reveal(id)).toEqual({
      secret: second.secret,
      previous_secret: first,
      previous_secret_until: second.previous_secret_until,
    });
    expect(await signing(uuid, new Date(until - 1))).toEqual([second.secret, first]);
    expect(await signing(uuid, new Date(until))).toEqual([second.secret]);

    const third = (await rotate(id, { overlap_seconds: 60 })).json<Endpoint>();
    expect(await signing(uuid, new Date())).toEqual([third.secret, second.secret]);
  });

  it('is alone again once the overlap is over, and nothing tells of the old one', async () => {
    const { id, uuid } = await api.createEndpoint(key);
    const { secret } = (await rotate(id)).json<Endpoint>();
    await api.db.owner.query(
      `update webhook_endpoints set previous_secret_until = now() - interval '1 second' where id = $1`,
      [uuid],
    );
    expect(await reveal(id)).toEqual({ secret, previous_secret: null, previous_secret_until: null });
    const shown = (await api.call(key, 'GET', `${PATH}/${id}`)).json<Endpoint>();
    expect(shown.previous_secret_until).toBeNull();
  });

  it('ends at once without an overlap', async () => {
    const { id, uuid } = await api.createEndpoint(key);
    const secret = `whsec_${Buffer.alloc(64, 1).toString('base64')}`;
    const rotated = (await rotate(id, { overlap_seconds: 0, secret })).json<Endpoint>();
    expect(rotated).toMatchObject({ secret, previous_secret_until: null });
    expect(await signing(uuid, new Date())).toEqual([secret]);
    expect(await reveal(id)).toMatchObject({ secret, previous_secret: null });
  });

  it('is rotated once for one Idempotency-Key, and not repeated', async () => {
    const { id } = await api.createEndpoint(key);
    const headers = { 'idempotency-key': 'rotate-once' };
    const first = (await rotate(id, {}, headers)).json<Endpoint>();
    expect((await rotate(id, {}, headers)).json()).toEqual({ ...first, secret: null });
    expect((await reveal(id)).secret).toBe(first.secret);
  });

  it.each([
    [{ overlap_seconds: -1 }, '/overlap_seconds must be at least 0'],
    [{ overlap_seconds: 604_801 }, '/overlap_seconds must be at most 604800'],
    [{ secret: 'whsec_x' }, '/secret must be `whsec_` and the base64 of 24 to 64 bytes'],
  ])('refuses %j', async (body, problem) => {
    const { id } = await api.createEndpoint(key);
    const answer = await rotate(id, body);
    expect(answer.status).toBe(422);
    expect(answer.json().errors?.map(({ pointer, detail }) => `${pointer} ${detail}`)).toEqual([problem]);
  });
});
