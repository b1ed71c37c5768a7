import { generateKeyPairSync } from 'node:crypto';
import { SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { toId } from '../../../src/lib/ids.ts';
import { eventually } from '../../support/eventually.ts';
import { startFirebaseIssuer } from '../../support/firebase-issuer.ts';
import { openPeopleApi, type PeopleApi } from './open-people.ts';

// Against a local issuer with Firebase's endpoints, claims and RS256 keys; `firebase-emulator.test.ts` runs against the
// real emulator where that is installed.

let issuer: Awaited<ReturnType<typeof startFirebaseIssuer>>;
let api: PeopleApi;
beforeAll(async () => {
  issuer = await startFirebaseIssuer();
  // Where the Admin SDK looks users up.
  vi.stubEnv('FIREBASE_AUTH_EMULATOR_HOST', issuer.host);
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  api = await openPeopleApi({
    firebase: {
      projectId: issuer.projectId,
      jwksUrl: issuer.jwksUrl,
      serviceAccount: JSON.stringify({
        project_id: issuer.projectId,
        client_email: `pingr@${issuer.projectId}.iam.gserviceaccount.com`,
        private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
      }),
    },
  });
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await api.close();
  await issuer.close();
});

const post = async (path: string, body: object) => {
  const response = await fetch(`${issuer.url}/identitytoolkit.googleapis.com${path}?key=any`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return (await response.json()) as Record<string, string>;
};

async function byLink(email: string): Promise<string> {
  await post('/v1/accounts:sendOobCode', { requestType: 'EMAIL_SIGNIN', email });
  const sent = await fetch(`${issuer.url}/emulator/v1/projects/${issuer.projectId}/oobCodes`);
  const { oobCodes } = (await sent.json()) as { oobCodes: { email: string; oobCode: string }[] };
  const { oobCode } = oobCodes.find((code) => code.email === email) ?? {};
  return (await post('/v1/accounts:signInWithEmailLink', { email, oobCode }))['idToken'] ?? '';
}

async function byGoogle(profile: object): Promise<string> {
  const postBody = `id_token=${encodeURIComponent(JSON.stringify(profile))}&providerId=google.com`;
  const answer = await post('/v1/accounts:signInWithIdp', { postBody, requestUri: 'http://localhost' });
  return answer['idToken'] ?? '';
}

const codeOf = async (token: string) => (await api.call(token, 'GET', '/v1/account')).json().code;

describe('a Firebase user', () => {
  it('who comes by e-mail link gets an account with the first request, and one only', async () => {
    const token = await byLink('ada@example.com');
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => api.call(token, 'GET', '/v1/account').then((answer) => answer.json())),
    );
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]).toMatchObject({ name: 'ada', email: 'ada@example.com', mode: 'live' });
    const { rows } = await api.db.owner.query(
      `select firebase_project, firebase_uid is not null as known from users where email = 'ada@example.com'`,
    );
    expect(rows).toEqual([{ firebase_project: issuer.projectId, known: true }]);
  });

  it('who comes through Google brings a name', async () => {
    const token = await byGoogle({
      sub: '1',
      email: 'grace@example.com',
      email_verified: true,
      name: 'Grace',
    });
    expect((await api.call(token, 'GET', '/v1/me')).json()).toMatchObject({ name: 'Grace' });
  });

  it('whose address is not verified is not let in, and takes over nobody', async () => {
    await byLink('victim@example.com').then((token) => api.call(token, 'GET', '/v1/account'));
    const thief = issuer.signedIn('victim@example.com', 'password', {
      uid: 'thief-of-addresses',
      emailVerified: false,
    });
    expect(await codeOf(await issuer.idToken(thief))).toBe('auth.email_unverified');
    const phone = issuer.signedIn('phone@example.com', 'phone');
    expect(await codeOf(await issuer.idToken(phone, { email: undefined }))).toBe('auth.email_unverified');
  });

  it('who was invited becomes a member by the link, and comes in by Firebase', async () => {
    const owner = await byLink('owner@example.com');
    const account = (await api.call(owner, 'GET', '/v1/account')).json<{ id: string }>();
    await api.call(owner, 'POST', '/v1/invitations', { email: 'joe@example.com', role: 'viewer' });
    const token = await api.tokenIn('joe@example.com');
    const accepted = await api.call('', 'POST', '/v1/invitations/accept', { token });
    expect(accepted.json()).toMatchObject({ account_id: account.id, sign_in: null });
    const joe = await byLink('joe@example.com');
    const me = (await api.call(joe, 'GET', '/v1/me')).json<{ accounts: object[] }>();
    expect(me.accounts).toMatchObject([{ id: account.id, role: 'viewer' }]);
  });
});

describe('who somebody is for Firebase', () => {
  const me = async (token: string) => {
    const answer = await api.call(token, 'GET', '/v1/me');
    expect(answer.status).toBe(200);
    return answer.json<{ id: string; email: string; accounts: { id: string }[] }>();
  };

  /** A member whom Firebase knows under a project of before. */
  async function knownElsewhere(email: string, uid: string): Promise<{ userId: string; accountId: string }> {
    const accountId = await api.account();
    const { userId } = await api.member(accountId, 'owner', email);
    await api.db.owner.query(
      `update users set firebase_project = 'project-of-before', firebase_uid = $2 where id = $1`,
      [userId, uid],
    );
    return { userId, accountId };
  }

  it('is a project and a uid: the same uid under another project is another person', async () => {
    const before = await knownElsewhere('first@example.com', 'uid-of-two');
    const second = issuer.signedIn('second@example.com', 'password', { uid: 'uid-of-two' });
    const { id, email, accounts } = await me(await issuer.idToken(second));
    expect(id).not.toBe(toId('user', before.userId));
    expect(email).toBe('second@example.com');
    expect(accounts.map((account) => account.id)).not.toContain(toId('account', before.accountId));
    const { rows } = await api.db.owner.query(
      `select email, firebase_project from users where firebase_uid = 'uid-of-two' order by email`,
    );
    expect(rows).toEqual([
      { email: 'first@example.com', firebase_project: 'project-of-before' },
      { email: 'second@example.com', firebase_project: issuer.projectId },
    ]);
  });

  it('changes with the project of an installation, and the verified address says who it is', async () => {
    const before = await knownElsewhere('moved@example.com', 'uid-before');
    const moved = issuer.signedIn('moved@example.com', 'password', { uid: 'uid-after' });
    const { id, accounts } = await me(await issuer.idToken(moved));
    expect(id).toBe(toId('user', before.userId));
    expect(accounts.map((account) => account.id)).toEqual([toId('account', before.accountId)]);
  });

  it('stays who they are where the address has changed, also between two first requests', async () => {
    const user = issuer.signedIn('old@example.com', 'password', { uid: 'uid-with-two-addresses' });
    const tokens = await Promise.all(
      ['old', 'new', 'old', 'new'].map((name) => issuer.idToken(user, { email: `${name}@example.com` })),
    );
    const answers = await Promise.all(tokens.map(me));
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    expect(new Set(answers.map(({ accounts }) => JSON.stringify(accounts))).size).toBe(1);
  });
});

describe('an ID token', () => {
  it('is refused for another project, when it has expired, from the future, or without a user', async () => {
    const user = issuer.signedIn('claims@example.com', 'password');
    const now = Math.floor(Date.now() / 1000);
    const bent: [string, Record<string, unknown>][] = [
      ['auth.token_invalid', { aud: 'other-project' }],
      ['auth.token_invalid', { iss: 'https://securetoken.google.com/other-project' }],
      ['auth.token_invalid', { iss: `https://session.firebase.google.com/${issuer.projectId}` }],
      ['auth.token_expired', { exp: now - 1, iat: now - 3601 }],
      ['auth.token_invalid', { auth_time: now + 3600 }],
      ['auth.token_invalid', { iat: now + 3600 }],
      ['auth.token_invalid', { sub: '' }],
      ['auth.token_invalid', { sub: 'x'.repeat(129) }],
      ['auth.token_invalid', { exp: undefined }],
      ['auth.token_invalid', { auth_time: undefined }],
    ];
    for (const [code, over] of bent) {
      expect(await codeOf(await issuer.idToken(user, over)), JSON.stringify(over)).toBe(code);
    }
    expect(await codeOf(await issuer.idToken(user))).toBeUndefined();
  });

  it('is refused without a signature, as emulators make it, and under a key that is not theirs', async () => {
    const user = issuer.signedIn('unsigned@example.com', 'password');
    const token = await issuer.idToken(user);
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const other = (kid: string) =>
      new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid }).sign(privateKey);
    const confused = new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: 'key-1' });
    const forged = [
      new UnsecuredJWT(claims).encode(),
      await other('key-1'),
      await other('unknown'),
      await confused.sign(Buffer.from('public key as a secret, as in CVE-2015-9235')),
    ];
    for (const one of forged) expect(await codeOf(one)).toBe('auth.token_invalid');
  });

  it('counts no more once the user was disabled, deleted or signed out everywhere', async () => {
    const disabled = issuer.signedIn('disabled@example.com', 'password', { disabled: true });
    expect(await codeOf(await issuer.idToken(disabled))).toBe('auth.user_disabled');
    const revoked = issuer.signedIn('revoked@example.com', 'password', {
      validSince: Math.floor(Date.now() / 1000) + 60,
    });
    expect(await codeOf(await issuer.idToken(revoked))).toBe('auth.token_revoked');
    const deleted = issuer.signedIn('deleted@example.com', 'password');
    issuer.users.delete(deleted.uid);
    expect(await codeOf(await issuer.idToken(deleted))).toBe('auth.token_revoked');
  });

  it('of our own making does not count here, and nobody signs in by links', async () => {
    const asked = await api.call('', 'POST', '/v1/auth/magic-link', { email: 'ada@example.com' });
    expect(asked.json().code).toBe('auth.firebase_only');
    const method = await api.call('', 'GET', '/v1/auth/method');
    expect(method.json()).toEqual({ method: 'firebase', firebase_project_id: issuer.projectId });
  });

  it('loses its rights within two seconds when its user is removed', async () => {
    const token = await byLink('removed@example.com');
    await api.call(token, 'GET', '/v1/account');
    const other = await byLink('remover@example.com');
    await api.call(other, 'GET', '/v1/account');
    await api.db.owner.query(
      `update members set role = 'viewer' where user_id = (select id from users where email = 'removed@example.com')`,
    );
    await eventually(
      () => api.call(token, 'GET', '/v1/audit-log').then(({ status }) => status),
      (status) => status === 403,
    );
  });
});

describe('the keys of the issuer', () => {
  it('are read once for many tokens', async () => {
    const before = issuer.keySetReads();
    for (let i = 0; i < 5; i++)
      await codeOf(await issuer.idToken(issuer.signedIn('cached@example.com', 'password')));
    expect(issuer.keySetReads()).toBe(before);
  });

  it('that cannot be read are no reason to call a token wrong', async () => {
    const fresh = await startFirebaseIssuer('demo-down');
    const down = await openPeopleApi({ firebase: { projectId: 'demo-down', jwksUrl: fresh.jwksUrl } });
    try {
      fresh.break(true);
      const token = await fresh.idToken(fresh.signedIn('x@example.com', 'password'));
      const refused = await down.call(token, 'GET', '/v1/account');
      expect(refused.json()).toMatchObject({ status: 503, code: 'auth.provider_unavailable' });
      fresh.break(false);
      expect((await down.call(token, 'GET', '/v1/account')).status).toBe(200);
    } finally {
      await down.close();
      await fresh.close();
    }
  });
});
