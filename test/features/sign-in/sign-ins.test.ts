import { SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toId } from '../../../src/lib/ids.ts';
import { eventually } from '../../support/eventually.ts';
import { openPeopleApi, type PeopleApi, type Tokens } from './open-people.ts';

let api: PeopleApi;
beforeAll(async () => {
  api = await openPeopleApi();
});
afterAll(() => api.close());

const me = async (token: string) => (await api.call(token, 'GET', '/v1/me')).status;
const codeOf = async (answer: ReturnType<PeopleApi['call']>) => (await answer).json().code;
const refresh = (token: string) => api.call('', 'POST', '/v1/auth/refresh', { refresh_token: token });

describe('an access token', () => {
  it('ends after a quarter of an hour, and is refreshed', async () => {
    const tokens = await api.signIn('short@example.com');
    expect(await me(tokens.access_token)).toBe(200);
    api.clock.ahead += 16 * 60_000;
    expect(await codeOf(api.call(tokens.access_token, 'GET', '/v1/me'))).toBe('auth.token_expired');
    const fresh = (await refresh(tokens.refresh_token)).json<Tokens>();
    expect(await me(fresh.access_token)).toBe(200);
    expect(fresh.sign_in_id).toBe(tokens.sign_in_id);
  });

  it('is refused with another key, algorithm or audience, and without a signature', async () => {
    const { access_token, user_id, sign_in_id } = await api.signIn('forged@example.com');
    const claims = () => ({ sid: sign_in_id, sub: user_id, iss: 'pingr', aud: 'pingr-api' });
    const forged = [
      await new SignJWT(claims())
        .setProtectedHeader({ alg: 'HS256' })
        .setExpirationTime('1h')
        .sign(Buffer.alloc(32)),
      new UnsecuredJWT(claims()).setExpirationTime('1h').encode(),
      access_token.replace(/\.[^.]+$/, '.'),
      `${access_token}x`,
      'a.b.c',
    ];
    for (const token of forged) {
      expect(await codeOf(api.call(token, 'GET', '/v1/me')), token).toBe('auth.token_invalid');
    }
  });

  it('may not call what needs a person by an API key, nor the other way round a wrong key', async () => {
    const account = await api.account();
    const key = await api.issue(account);
    expect(await codeOf(api.call(key, 'GET', '/v1/me'))).toBe('auth.user_needed');
    expect(await codeOf(api.call('', 'GET', '/v1/me'))).toBe('auth.key_missing');
  });
});

describe('a sign-in', () => {
  it('is listed, and ended from another one', async () => {
    const [laptop, phone] = [await api.signIn('two@example.com'), await api.signIn('two@example.com')];
    const { data } = (await api.call(laptop.access_token, 'GET', '/v1/auth/sign-ins')).json<{
      data: { id: string; current: boolean; ip: string }[];
    }>();
    expect(data.map(({ id, current }) => [id, current])).toEqual([
      [phone.sign_in_id, false],
      [laptop.sign_in_id, true],
    ]);
    expect(data[0]?.ip).toMatch(/^198\.51\.100\./);
    expect(await me(phone.access_token)).toBe(200);

    const ended = await api.call(laptop.access_token, 'DELETE', `/v1/auth/sign-ins/${phone.sign_in_id}`);
    expect(ended.status).toBe(204);
    await eventually(
      () => me(phone.access_token),
      (status) => status === 401,
    );
    expect(await codeOf(api.call(phone.access_token, 'GET', '/v1/me'))).toBe('auth.token_revoked');
    expect((await refresh(phone.refresh_token)).status).toBe(401);
    expect(await me(laptop.access_token)).toBe(200);
  });

  it("is nobody else's to see or end", async () => {
    const [mine, theirs] = [await api.signIn('mine@example.com'), await api.signIn('theirs@example.com')];
    const list = (await api.call(mine.access_token, 'GET', '/v1/auth/sign-ins')).text;
    expect(list).not.toContain(theirs.sign_in_id);
    const ending = api.call(mine.access_token, 'DELETE', `/v1/auth/sign-ins/${theirs.sign_in_id}`);
    expect(await codeOf(ending)).toBe('sign_in.not_found');
    expect(await me(theirs.access_token)).toBe(200);
  });

  it('ends by signing out', async () => {
    const tokens = await api.signIn('out@example.com');
    expect((await api.call(tokens.access_token, 'POST', '/v1/auth/sign-out')).status).toBe(204);
    await eventually(
      () => me(tokens.access_token),
      (status) => status === 401,
    );
  });

  it('ends for both when a refresh token is used again: one of them stole it', async () => {
    const stolen = await api.signIn('stolen@example.com');
    const fresh = (await refresh(stolen.refresh_token)).json<Tokens>();
    api.clock.ahead += 31_000;
    expect((await refresh(stolen.refresh_token)).status).toBe(401);
    expect((await refresh(fresh.refresh_token)).status).toBe(401);
    await eventually(
      () => me(fresh.access_token),
      (status) => status === 401,
    );
  });

  it('goes on where the answer to a refresh was lost on the way', async () => {
    const tokens = await api.signIn('lost@example.com');
    await refresh(tokens.refresh_token);
    const again = (await refresh(tokens.refresh_token)).json<Tokens>();
    expect(await me(again.access_token)).toBe(200);
    expect((await refresh(again.refresh_token)).status).toBe(200);
  });

  it('gives a lost answer half a minute, which showing the old token again does not prolong', async () => {
    const tokens = await api.signIn('patient@example.com');
    await refresh(tokens.refresh_token);
    api.clock.ahead += 20_000;
    expect((await refresh(tokens.refresh_token)).status).toBe(200);
    api.clock.ahead += 20_000;
    expect((await refresh(tokens.refresh_token)).status).toBe(401);
  });

  it('ends thirty days after its last refresh', async () => {
    const tokens = await api.signIn('month@example.com');
    api.clock.ahead += 30 * 86_400_000;
    expect((await refresh(tokens.refresh_token)).status).toBe(401);
  });

  it('leaves no token in the database', async () => {
    const tokens = await api.signIn('secret@example.com');
    for (const table of ['sign_ins', 'used_links', 'audit_log', 'users']) {
      const { rows } = await api.db.owner.query(`select t::text as row from ${table} t`);
      const text = rows.map(({ row }) => row).join('\n');
      expect(text).not.toContain(tokens.refresh_token);
      expect(text).not.toContain(tokens.access_token);
    }
  });
});

describe('which account and mode', () => {
  it('is the only one and live, unless headers say otherwise', async () => {
    const own = await api.signIn('several@example.com');
    const other = await api.account('Other');
    const stranger = await api.account('Stranger');
    const show = (headers: Record<string, string>) =>
      api.call(own.access_token, 'GET', '/v1/account', undefined, headers);
    expect((await show({})).json()).toMatchObject({ name: 'several', mode: 'live' });
    expect((await show({ 'pingr-mode': 'test' })).json()).toMatchObject({ mode: 'test' });
    expect(await codeOf(show({ 'pingr-mode': 'both' }))).toBe('auth.mode_invalid');

    await api.db.owner.query(
      `insert into members (account_id, user_id, role) select $1, id, 'viewer' from users where email = 'several@example.com'`,
      [other],
    );
    await eventually(
      () => codeOf(show({})),
      (code) => code === 'auth.account_needed',
    );
    const chosen = await show({ 'pingr-account': toId('account', other) });
    expect(chosen.json()).toMatchObject({ name: 'Other' });
    expect((await api.call(own.access_token, 'GET', '/v1/me')).status).toBe(200);
    const foreign = toId('account', stranger);
    expect(await codeOf(show({ 'pingr-account': foreign }))).toBe('auth.account_unknown');
    expect(await codeOf(show({ 'pingr-account': 'acc_nonsense' }))).toBe('auth.account_unknown');
  });

  it('is none while it is being deleted', async () => {
    const { access_token } = await api.signIn('leaving@example.com');
    await api.db.owner.query(
      `insert into account_closures (account_id, id, requested_at, erase_at, session_ids)
       select m.account_id, gen_random_uuid(), now(), now() + interval '7 days', '{}'
       from members m join users u on u.id = m.user_id where u.email = 'leaving@example.com'`,
    );
    await eventually(
      () => codeOf(api.call(access_token, 'GET', '/v1/account')),
      (code) => code === 'auth.account_closed',
    );
  });
});

describe('the profile', () => {
  it('is changed by its user, in canonical form', async () => {
    const { access_token } = await api.signIn('profile@example.com');
    const changed = await api.call(access_token, 'PATCH', '/v1/me', {
      name: ' Ada ',
      time_zone: 'asia/kolkata',
      locale: 'en-in',
      avatar_url: 'https://example.com/ada.png',
    });
    expect(changed.json()).toMatchObject({ name: 'Ada', time_zone: 'Asia/Kolkata', locale: 'en-IN' });
    const cleared = await api.call(access_token, 'PATCH', '/v1/me', { avatar_url: null });
    expect(cleared.json()).toMatchObject({ name: 'Ada', avatar_url: null });
  });

  it.each([
    { time_zone: 'Mars/Olympus' },
    { locale: 'no such' },
    { avatar_url: 'http://example.com/a.png' },
    { avatar_url: 'javascript:alert(1)' },
    { email: 'other@example.com' },
  ])('takes no %o', async (change) => {
    const { access_token } = await api.signIn(`wrong-${Object.keys(change)[0]}-${Math.random()}@example.com`);
    expect((await api.call(access_token, 'PATCH', '/v1/me', change)).status).toBe(422);
  });
});
