import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { freePort } from '../../../src/platform/embedded-postgres/free-port.ts';
import { eventually } from '../../support/eventually.ts';
import { startFirebaseIssuer } from '../../support/firebase-issuer.ts';
import { openPeopleApi, type PeopleApi } from './open-people.ts';

/** `npm install firebase-tools` somewhere, and name its `bin/firebase.js`; it is too large to come with Pingr. */
const TOOLS = process.env['FIREBASE_TOOLS'];
const PROJECT = 'demo-pingr';
const needed = TOOLS === undefined ? ' (skipped: FIREBASE_TOOLS does not say where firebase-tools is)' : '';

// The emulator signs nothing (`alg: none`), which Pingr never takes. So its users, claims and endpoints are real here, and
// the signature under the same claims is that of a local issuer.
describe.skipIf(TOOLS === undefined)(`with the Firebase Auth emulator${needed}`, () => {
  let emulator: ChildProcess;
  let dir: string;
  let base: string;
  let issuer: Awaited<ReturnType<typeof startFirebaseIssuer>>;
  let api: PeopleApi;

  beforeAll(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'pingr-firebase-'));
    const [port, hub, logging] = [await freePort(), await freePort(), await freePort()];
    const emulators = {
      auth: { port },
      hub: { port: hub },
      logging: { port: logging },
      ui: { enabled: false },
    };
    await writeFile(path.join(dir, 'firebase.json'), JSON.stringify({ emulators }));
    emulator = spawn(
      process.execPath,
      [TOOLS ?? '', 'emulators:start', '--only', 'auth', '--project', PROJECT],
      { cwd: dir, stdio: 'ignore' },
    );
    base = `http://127.0.0.1:${port}`;
    await eventually(
      () =>
        fetch(base).then(
          ({ status }) => status,
          () => 0,
        ),
      (status) => status === 200,
      45_000,
    );
    vi.stubEnv('FIREBASE_AUTH_EMULATOR_HOST', `127.0.0.1:${port}`);
    issuer = await startFirebaseIssuer(PROJECT);
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const serviceAccount = JSON.stringify({
      project_id: PROJECT,
      client_email: 'pingr@example.com',
      private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    });
    api = await openPeopleApi({ firebase: { projectId: PROJECT, jwksUrl: issuer.jwksUrl, serviceAccount } });
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await api?.close();
    await issuer?.close();
    emulator.kill('SIGINT');
    await once(emulator, 'exit');
    await rm(dir, { recursive: true, force: true });
  });

  const call = async (method: string, at: string, body?: object): Promise<Record<string, never>> => {
    const response = await fetch(`${base}${at}`, {
      method,
      headers: { 'content-type': 'application/json', authorization: 'Bearer owner' },
      ...(body && { body: JSON.stringify(body) }),
    });
    return JSON.parse(await response.text());
  };
  const auth = (what: string, body: object) =>
    call('POST', `/identitytoolkit.googleapis.com/v1/${what}?key=any`, body);

  async function byLink(email: string): Promise<string> {
    const wanted = { requestType: 'EMAIL_SIGNIN', email, canHandleCodeInApp: true };
    await auth('accounts:sendOobCode', { ...wanted, continueUrl: 'http://localhost/finish' });
    const sent: { oobCodes?: { email: string; oobCode: string }[] } = await call(
      'GET',
      `/emulator/v1/projects/${PROJECT}/oobCodes`,
    );
    const { oobCode } = sent.oobCodes?.find((code) => code.email === email) ?? {};
    const answer: { idToken?: string } = await auth('accounts:signInWithEmailLink', { email, oobCode });
    return answer.idToken ?? '';
  }

  const claimsOf = (token: string) =>
    JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  const signed = (token: string) => issuer.idToken(issuer.signedIn('x@example.com', 'x'), claimsOf(token));
  const show = (token: string) => api.call(token, 'GET', '/v1/account');

  it('refuses the tokens of the emulator itself, which nobody signed', async () => {
    const token = await byLink('unsigned@example.com');
    expect((await show(token)).json().code).toBe('auth.token_invalid');
  });

  it('lets in whoever comes by e-mail link', async () => {
    const token = await signed(await byLink('ada@example.com'));
    expect((await show(token)).json()).toMatchObject({ email: 'ada@example.com' });
  });

  it('lets in whoever comes through Google', async () => {
    const profile = { sub: 'g-1', email: 'grace@example.com', email_verified: true, name: 'Grace' };
    const answer: { idToken?: string } = await auth('accounts:signInWithIdp', {
      postBody: `id_token=${encodeURIComponent(JSON.stringify(profile))}&providerId=google.com`,
      requestUri: 'http://localhost',
      returnSecureToken: true,
    });
    const me = await api.call(await signed(answer.idToken ?? ''), 'GET', '/v1/me');
    expect(me.json()).toMatchObject({ email: 'grace@example.com' });
  });

  it('asks the emulator, by the Admin SDK, whether a user was disabled', async () => {
    const token = await byLink('disabled@example.com');
    const localId = claimsOf(token).sub;
    await call('POST', `/identitytoolkit.googleapis.com/v1/projects/${PROJECT}/accounts:update`, {
      localId,
      disableUser: true,
    });
    expect((await show(await signed(token))).json().code).toBe('auth.user_disabled');
  });
});
