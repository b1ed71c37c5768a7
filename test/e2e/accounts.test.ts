import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RunningPaymentSandbox, startPaymentSandbox } from '../../src/payment-sandbox/start.ts';
import { findTraces } from '../features/privacy/fill-tables.ts';
import type { Json } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { unzip } from '../support/unzip.ts';
import { createWorld, type World } from '../support/world.ts';

const ADA = 'ada@zephyrine.example';
const BOB = 'bob@zephyrine.example';
const QUOTA = 5;
let world: World;
let payments: RunningPaymentSandbox;

beforeAll(async () => {
  payments = await startPaymentSandbox({ host: '127.0.0.1', port: 0 });
  world = await createWorld({
    env: {
      MAILBOX: 'on',
      RESTORE_DAYS: '0',
      STRIPE_API_URL: payments.url,
      STRIPE_SECRET_KEY: payments.keys.stripeSecretKey,
      STRIPE_WEBHOOK_SECRET: payments.keys.stripeWebhookSecret,
    },
  });
  payments.sendWebhooksTo(world.api);
  await world.db.owner.query(`update app.plans set test_messages = $1 where id = 'trial'`, [QUOTA]);
});
afterAll(async () => {
  await world.close();
  await payments.close();
});

async function call(method: string, path: string, auth: object = {}, body?: object): Promise<Json> {
  const response = await fetch(`${world.api}${path}`, {
    method,
    headers: { ...auth, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text.startsWith('{') ? JSON.parse(text) : text };
}

/** The newest mail to the address whose subject or text has the words. */
async function mail(to: string, words: RegExp): Promise<string> {
  const found = await eventually(
    async () =>
      (await call('GET', '/mailbox/mails')).body.data.find(
        (entry: Json) => entry.to === to && words.test(`${entry.subject}\n${entry.text}`),
      ),
    (entry) => entry !== undefined,
  );
  return found.text;
}

const tokenIn = (text: string, name: string) =>
  decodeURIComponent(new RegExp(`[?&#]${name}=([^\\s&]+)`).exec(text)?.[1] ?? '');

async function signIn(email: string): Promise<{ authorization: string }> {
  await call('POST', '/v1/auth/magic-link', {}, { email });
  const link = await mail(email, /sign.in/i);
  const { body } = await call('POST', '/v1/auth/sign-ins', {}, { token: tokenIn(link, 'token') });
  return { authorization: `Bearer ${body.access_token}` };
}

it('from the first sign-in to the last trace', async () => {
  const ada = await signIn(ADA);
  const me = (await call('GET', '/v1/me', ada)).body;
  const [account] = me.accounts;
  expect(account).toMatchObject({ role: 'owner', closed: false });

  // Invites a second member, who may send but not manage keys.
  const invited = await call('POST', '/v1/invitations', ada, { email: BOB, role: 'agent' });
  expect(invited.status).toBe(201);
  const invitation = tokenIn(await mail(BOB, /invit/i), 'invitation');
  const accepted = await call('POST', '/v1/invitations/accept', {}, { token: invitation });
  const bob = { authorization: `Bearer ${accepted.body.sign_in.access_token}` };
  expect((await call('GET', '/v1/members', ada)).body.data).toHaveLength(2);
  const forbidden = await call('POST', '/v1/api-keys', bob, { name: 'x', mode: 'test', scopes: ['*'] });
  expect(forbidden.status).toBe(403);

  // Makes a key, sends until the quota is used up.
  const key = await call('POST', '/v1/api-keys', ada, { name: 'shop', mode: 'test', scopes: ['*'] });
  const shop = { 'x-api-key': key.body.key };
  await call('POST', '/v1/sessions', shop, { name: 'main', auto_pair: true });
  const send = () =>
    call('POST', '/v1/messages', shop, { to: '+919876543210', type: 'text', text: { body: 'zephyr' } });
  for (let i = 0; i < QUOTA; i++) expect((await send()).status).toBe(202);
  expect((await send()).body).toMatchObject({ status: 402, code: 'message.quota_reached' });
  const events = async () => (await call('GET', '/v1/events?limit=100', shop)).body.data;
  const quota = await eventually(
    async () => (await events()).map(({ type }: Json) => type),
    (types) => types.includes('quota.reached'),
  );
  expect(quota).toContain('quota.warning');

  // Hears by mail that a number was unlinked on the phone.
  const [session] = (await call('GET', '/v1/sessions', shop)).body.data;
  await call('DELETE', `/v1/sandbox/phones/${session.phone.slice(1)}/devices/${session.id}`, shop);
  expect(await mail(ADA, /needs you/)).toContain(session.phone);

  // Pays at the stand-in; the plan is active, and the receipt in the mailbox.
  const checkout = await call('POST', '/v1/billing/checkout', ada, { plan: 'growth', provider: 'stripe' });
  const page = await fetch(checkout.body.url, {
    method: 'POST',
    body: new URLSearchParams({ action: 'pay' }),
    redirect: 'manual',
  });
  expect(page.status).toBe(303);
  const subscription = () => call('GET', '/v1/billing/subscription', ada).then(({ body }) => body);
  await eventually(subscription, ({ status, plan }) => status === 'active' && plan === 'growth');
  await mail(ADA, /receipt|paid/i);
  expect((await call('GET', '/v1/billing/invoices', ada)).body.data).toMatchObject([{ status: 'paid' }]);
  await call('POST', '/v1/sessions', shop, { name: 'again', auto_pair: true });
  expect((await send()).status).toBe(202);

  // Reads usage by hour, what was asked, and who changed what.
  const test = { ...ada, 'pingr-mode': 'test' };
  const series = (await call('GET', '/v1/usage/timeseries?bucket=hour', test)).body.data;
  expect(series.length).toBeGreaterThanOrEqual(24);
  const queued = series.reduce((sum: number, { count }: Json) => sum + count, 0);
  expect(queued).toBe(QUOTA + 1);
  await eventually(
    () => call('GET', '/v1/activity?status=4xx', test),
    ({ body }) => body.data.some(({ error_code }: Json) => error_code === 'message.quota_reached'),
  );
  const audit = (await call('GET', '/v1/audit-log', ada)).body.data;
  const made = audit.find(({ target }: Json) => target.id === key.body.id);
  expect(made).toMatchObject({ action: 'created' });
  expect(JSON.stringify(audit)).not.toContain(key.body.key);

  // Takes everything along.
  const asked = await call('POST', '/v1/account/export', ada);
  const ready = await eventually(
    () => call('GET', `/v1/account/exports/${asked.body.id}`, ada),
    ({ body }) => body.status === 'ready',
  );
  const archive = unzip(Buffer.from(await (await fetch(ready.body.url)).arrayBuffer()));
  expect([...archive.keys()]).toContain('manifest.json');
  expect(archive.get('messages.jsonl')?.toString()).toContain('zephyr');

  // Leaves. Nothing works any more, and nothing is left.
  const unconfirmed = await call('DELETE', '/v1/account', ada, { confirm: 'something else' });
  expect(unconfirmed.body).toMatchObject({ status: 422, errors: [{ pointer: '/confirm' }] });
  expect((await call('DELETE', '/v1/account', ada, { confirm: account.name })).status).toBe(202);
  for (const auth of [ada, bob, shop]) {
    await eventually(
      () => call('GET', '/v1/sessions', auth),
      ({ status }) => status === 401 || status === 403,
    );
  }
  const uuid = await eventually(
    async () => (await world.db.owner.query('select id from accounts')).rows,
    (rows) => rows.length === 0,
  );
  expect(uuid).toEqual([]);
  expect(await findTraces(world.db, [ADA, BOB, account.id, 'zephyr'])).toEqual([]);
});
