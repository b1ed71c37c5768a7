import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signInUrl } from '../../../src/features/sign-in/sign-in-page.routes.ts';
import { openPeopleApi, type PeopleApi, type Tokens } from './open-people.ts';

let api: PeopleApi;
beforeAll(async () => {
  api = await openPeopleApi();
});
afterAll(() => api.close());

const ask = (email: string, from = '203.0.113.1') =>
  api.call('', 'POST', '/v1/auth/magic-link', { email }, { 'x-forwarded-for': from });
const open = (token: string) => api.call('', 'POST', '/v1/auth/sign-ins', { token });

describe('a sign-in link', () => {
  it('makes the user and an account that they own, and signs them in', async () => {
    const { access_token } = await api.signIn('Ada@Example.com'.toLowerCase());
    const me = (await api.call(access_token, 'GET', '/v1/me')).json<Record<string, unknown>>();
    expect(me).toMatchObject({
      email: 'ada@example.com',
      accounts: [{ name: 'ada', role: 'owner', closed: false }],
    });
    const account = await api.call(access_token, 'GET', '/v1/account');
    expect(account.json()).toMatchObject({ name: 'ada', email: 'ada@example.com', mode: 'live' });
  });

  it('brings back the same user, however the address is written', async () => {
    const first = await api.signIn('grace@example.com');
    await ask('Grace@EXAMPLE.com', '203.0.113.2');
    const again = (await open(await api.tokenIn('grace@example.com'))).json<Tokens>();
    expect(again.user_id).toBe(first.user_id);
    expect(again.sign_in_id).not.toBe(first.sign_in_id);
  });

  it('works once, also where it is opened many times at once', async () => {
    await ask('once@example.com', '203.0.113.3');
    const token = await api.tokenIn('once@example.com');
    const answers = await Promise.all(Array.from({ length: 8 }, () => open(token)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(7).fill(422)]);
    const { rows } = await api.db.owner.query(
      `select count(*)::int as n from members m join users u on u.id = m.user_id where u.email = 'once@example.com'`,
    );
    expect(rows[0].n).toBe(1);
  });

  it('works for a quarter of an hour', async () => {
    await ask('late@example.com', '203.0.113.4');
    const token = await api.tokenIn('late@example.com');
    api.clock.ahead += 15 * 60_000;
    const answer = await open(token);
    expect(answer.json()).toMatchObject({ status: 422, code: 'auth.link_invalid' });
  });

  it('is refused where a byte of it was changed, or another spelling of the same bytes was used before', async () => {
    await ask('bent@example.com', '203.0.113.5');
    const token = await api.tokenIn('bent@example.com');
    const bent = `${token.slice(0, 20)}${token[20] === 'A' ? 'B' : 'A'}${token.slice(21)}`;
    expect((await open(bent)).status).toBe(422);
    expect((await open(token)).status).toBe(201);
    expect((await open(`${token}=`)).status).toBe(422);
    expect((await open('')).status).toBe(422);
  });

  it('is answered alike and as late for addresses that are known, unknown and had too many', async () => {
    const timed = async (email: string, from: string) => {
      const started = performance.now();
      const { status, text } = await ask(email, from);
      return { status, text, ms: performance.now() - started };
    };
    const known = await timed('ada@example.com', '203.0.113.6');
    const unknown = await timed('nobody@example.com', '203.0.113.7');
    expect([known.status, known.text]).toEqual([unknown.status, unknown.text]);
    expect(known.status).toBe(202);
    for (const { ms } of [known, unknown]) expect(ms).toBeGreaterThanOrEqual(245);
  });

  it('comes five times in a quarter of an hour to one address, whoever asks', async () => {
    const answers = [];
    for (let i = 0; i < 7; i++) answers.push((await ask('often@example.com', `192.0.2.${i}`)).status);
    expect(new Set(answers)).toEqual(new Set([202]));
    const mails = (await api.mailbox()).filter(({ to }) => to === 'often@example.com');
    expect(mails).toHaveLength(5);
  });

  it('is refused to an address that asks for too many', async () => {
    const statuses = [];
    for (let i = 0; i < 13; i++) statuses.push((await ask(`many${i}@example.com`, '192.0.2.77')).status);
    expect(statuses.slice(0, 12)).toEqual(Array(12).fill(202));
    expect(statuses[12]).toBe(429);
  });

  it('leads to a page that sends the token nowhere by itself', async () => {
    const page = await api.call('', 'GET', '/sign-in');
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(page.text).toContain('Send me a sign-in link');
    expect(new URL(signInUrl('https://pingr.test', 'secret')).search).toBe('');
  });
});

describe('an account that an operator made for an address', () => {
  it('becomes that of the first who signs in with it, and of nobody after', async () => {
    const { id } = await api.accounts.create({ name: 'Made before', email: 'Boss@Example.com' });
    const { access_token } = await api.signIn('boss@example.com');
    const me = (await api.call(access_token, 'GET', '/v1/me')).json<{ accounts: { name: string }[] }>();
    expect(me.accounts.map(({ name }) => name)).toEqual(['Made before']);
    const { rows } = await api.db.owner.query('select role from members where account_id = $1', [id]);
    expect(rows).toEqual([{ role: 'owner' }]);
  });

  it("becomes nobody else's by an address that a key wrote", async () => {
    const { id } = await api.accounts.create({ name: 'Held', email: 'rightful@example.com' });
    const key = await api.issue(id, { scopes: ['account:write'] });
    const changed = await api.call(key, 'PATCH', '/v1/account', { email: 'mallory@example.com' });
    expect(changed.json()).toMatchObject({ email: 'mallory@example.com' });
    const accountOf = async (email: string) => {
      const { access_token } = await api.signIn(email);
      return (await api.call(access_token, 'GET', '/v1/account')).json<{ name: string }>().name;
    };
    expect(await accountOf('mallory@example.com')).toBe('mallory');
    expect(await accountOf('rightful@example.com')).toBe('Held');
  });
});

describe('where nobody signs up', () => {
  it('writes to members and owners to be alone, and looks the same to others', async () => {
    const closed = await openPeopleApi({ signUp: 'invited' });
    try {
      const { id } = await closed.accounts.create({ name: 'Acme', email: 'boss@example.com' });
      await closed.accounts.update({ accountId: id }, { email: 'eve@example.com' });
      const strangers = await closed.call('', 'POST', '/v1/auth/magic-link', { email: 'eve@example.com' });
      const owners = await closed.call('', 'POST', '/v1/auth/magic-link', { email: 'boss@example.com' });
      expect([strangers.status, strangers.text]).toEqual([owners.status, owners.text]);
      expect((await closed.mailbox()).map(({ to }) => to)).toEqual(['boss@example.com']);
      const { access_token } = await closed.signIn('boss@example.com');
      expect((await closed.call(access_token, 'GET', '/v1/account')).json()).toMatchObject({ name: 'Acme' });
    } finally {
      await closed.close();
    }
  });
});
