import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPeopleApi, type PeopleApi, type Tokens } from '../sign-in/open-people.ts';

let api: PeopleApi;
beforeAll(async () => {
  api = await openPeopleApi();
});
afterAll(() => api.close());

const codeOf = async (answer: ReturnType<PeopleApi['call']>) => (await answer).json().code;
let visitor = 0;
const accept = (token: string) =>
  api.call(
    '',
    'POST',
    '/v1/invitations/accept',
    { token },
    { 'x-forwarded-for': `192.0.2.${visitor++ % 250}` },
  );
const invite = (token: string, email: string, role = 'developer') =>
  api.call(token, 'POST', '/v1/invitations', { email, role });

describe('an invitation', () => {
  it('comes by mail, and accepting it signs the person in as a member of that account alone', async () => {
    const account = await api.account('Acme & Sons');
    const owner = await api.member(account, 'owner');
    const made = await invite(owner.access_token, 'New@Example.com');
    expect(made.status).toBe(201);
    expect(made.json()).toMatchObject({ email: 'new@example.com', role: 'developer' });
    const token = await api.tokenIn('new@example.com');
    expect(made.text).not.toContain(token);
    const [mail] = await api.mailbox();
    expect(mail).toMatchObject({ template: 'invitation', to: 'new@example.com' });
    expect(mail?.text).toContain(owner.email);

    const accepted = (await accept(token)).json<{ role: string; sign_in: Tokens }>();
    expect(accepted).toMatchObject({ role: 'developer', email: 'new@example.com' });
    const me = await api.call(accepted.sign_in.access_token, 'GET', '/v1/me');
    expect(me.json()).toMatchObject({ accounts: [{ name: 'Acme & Sons', role: 'developer' }] });
    const open = (await api.call(owner.access_token, 'GET', '/v1/invitations')).json<{ data: unknown[] }>();
    expect(open.data).toEqual([]);
  });

  it('works once, also where it is accepted many times at once', async () => {
    const owner = await api.member(await api.account(), 'owner');
    await invite(owner.access_token, 'racing@example.com');
    const token = await api.tokenIn('racing@example.com');
    const answers = await Promise.all(Array.from({ length: 6 }, () => accept(token)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 422, 422, 422, 422, 422]);
  });

  it('gives way to a later one to the same address, ends after seven days and can be taken back', async () => {
    const owner = await api.member(await api.account(), 'owner');
    await invite(owner.access_token, 'again@example.com', 'viewer');
    const first = await api.tokenIn('again@example.com');
    const second = await invite(owner.access_token, 'again@example.com', 'admin');
    expect((await accept(first)).json().code).toBe('invitation.link_invalid');
    const { id } = second.json<{ id: string }>();
    expect((await api.call(owner.access_token, 'DELETE', `/v1/invitations/${id}`)).status).toBe(204);
    expect(await codeOf(api.call(owner.access_token, 'DELETE', `/v1/invitations/${id}`))).toBe(
      'invitation.not_found',
    );
    expect((await accept(await api.tokenIn('again@example.com'))).status).toBe(422);

    await invite(owner.access_token, 'slow@example.com');
    api.clock.ahead += 7 * 86_400_000;
    expect((await accept(await api.tokenIn('slow@example.com'))).status).toBe(422);
  });

  it('is for roles that the inviter may give, and for people who are no members', async () => {
    const account = await api.account();
    const owner = await api.member(account, 'owner');
    const admin = await api.member(account, 'admin');
    expect(await codeOf(invite(admin.access_token, 'up@example.com', 'owner'))).toBe('member.role_forbidden');
    expect(await codeOf(invite(owner.access_token, admin.email))).toBe('invitation.already_member');
    expect(await codeOf(invite(owner.access_token, 'x@example.com', 'root'))).toBe('request.invalid');
    expect(await codeOf(invite(owner.access_token, 'no address'))).toBe('request.invalid');
  });

  it('of another account is not there, and its token is not in the database', async () => {
    const owner = await api.member(await api.account(), 'owner');
    const other = await api.member(await api.account('Other'), 'owner');
    const { id } = (await invite(owner.access_token, 'hidden@example.com')).json<{ id: string }>();
    expect((await api.call(other.access_token, 'GET', '/v1/invitations')).text).not.toContain(id);
    expect(await codeOf(api.call(other.access_token, 'DELETE', `/v1/invitations/${id}`))).toBe(
      'invitation.not_found',
    );
    const token = await api.tokenIn('hidden@example.com');
    const { rows } = await api.db.owner.query(
      'select i::text as row from invitations i union all select l::text from audit_log l',
    );
    expect(rows.map(({ row }) => row).join()).not.toContain(token);
  });

  it('is not accepted beyond the members that the plan allows, and stays open', async () => {
    const account = await api.account();
    const owner = await api.member(account, 'owner');
    await invite(owner.access_token, 'third@example.com');
    await api.db.owner.query('update quotas set member_limit = 1 where account_id = $1', [account]);
    const token = await api.tokenIn('third@example.com');
    expect((await accept(token)).json()).toMatchObject({
      code: 'member.limit_reached',
      detail: 'The plan allows 1.',
    });
    await api.db.owner.query('update quotas set member_limit = 2 where account_id = $1', [account]);
    expect((await accept(token)).status).toBe(200);
  });

  it('is not made beyond the members that the plan allows, those who are invited among them', async () => {
    const account = await api.account();
    const owner = await api.member(account, 'owner');
    await api.db.owner.query('update quotas set member_limit = 2 where account_id = $1', [account]);
    const made = (await invite(owner.access_token, 'one@plan.example')).json<{ id: string }>();
    const mailsTo = async (address: string) =>
      (await api.mailbox()).filter(({ to }) => to === address).length;

    const refused = await invite(owner.access_token, 'two@plan.example');
    expect(refused.status).toBe(409);
    expect(refused.json()).toMatchObject({
      code: 'member.limit_reached',
      detail: 'The plan allows 2; there are 1, and 1 who is invited.',
    });
    expect(await mailsTo('two@plan.example')).toBe(0);
    const again = await invite(owner.access_token, 'one@plan.example', 'viewer');
    expect(again.status).toBe(201);

    await api.call(owner.access_token, 'DELETE', `/v1/invitations/${again.json<{ id: string }>().id}`);
    expect(again.json<{ id: string }>().id).not.toBe(made.id);
    expect((await invite(owner.access_token, 'two@plan.example')).status).toBe(201);
    await api.db.owner.query('update quotas set member_limit = 1 where account_id = $1', [account]);
    expect(
      (await invite(owner.access_token, 'three@plan.example')).json<{ detail: string }>().detail,
    ).toMatch('The plan allows 1; there are 1');
    // Of those that are asked at once, no more than there is room for.
    await api.db.owner.query('update quotas set member_limit = 4 where account_id = $1', [account]);
    const asked = await Promise.all(
      ['a', 'b', 'c', 'd', 'e'].map((name) => invite(owner.access_token, `${name}@plan.example`)),
    );
    expect(asked.map(({ status }) => status).toSorted()).toEqual([201, 201, 409, 409, 409]);
  });

  it('brings a user who has an account of their own into a second one', async () => {
    const own = await api.signIn('self@example.com');
    const owner = await api.member(await api.account('Team'), 'owner');
    await invite(owner.access_token, 'self@example.com', 'viewer');
    expect((await accept(await api.tokenIn('self@example.com'))).status).toBe(200);
    const me = (await api.call(own.access_token, 'GET', '/v1/me')).json<{ accounts: { role: string }[] }>();
    expect(me.accounts.map(({ role }) => role).sort()).toEqual(['owner', 'viewer']);
  });
});
