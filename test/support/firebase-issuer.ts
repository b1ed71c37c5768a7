import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, SignJWT } from 'jose';
import { z } from 'zod';

interface StoredUser {
  uid: string;
  email: string;
  emailVerified: boolean;
  name?: string;
  provider: string;
  authTime: number;
  disabled: boolean;
  /** Seconds. */
  validSince: number;
}

/**
 * A local Firebase Auth: the endpoints that its web SDK and Admin SDK call, with tokens under RS256 keys of its own and
 * a key set to check them by, so that the verifier of production runs as it is.
 */
export async function startFirebaseIssuer(projectId = 'demo-pingr') {
  const key = newKey('key-1');
  const users = new Map<string, StoredUser>();
  const oobCodes = new Map<string, string>();
  let broken = false;
  let keySetReads = 0;

  const byEmail = (email: string) => [...users.values()].find((user) => user.email === email);

  function signedIn(email: string, provider: string, more: Partial<StoredUser> = {}): StoredUser {
    const now = Math.floor(Date.now() / 1000);
    const known = byEmail(email);
    const user: StoredUser = {
      ...{ uid: randomBytes(14).toString('hex'), email, emailVerified: true, disabled: false, validSince: 0 },
      ...known,
      ...more,
      provider,
      authTime: now,
    };
    users.set(user.uid, user);
    return user;
  }

  /** An ID token with the claims of the documentation; `over` bends them. */
  async function idToken(user: StoredUser, over: Record<string, unknown> = {}): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const { kid, privateKey } = await key;
    return new SignJWT({
      ...{ iss: `https://securetoken.google.com/${projectId}`, aud: projectId },
      ...{ sub: user.uid, user_id: user.uid, auth_time: user.authTime, iat: now, exp: now + 3600 },
      ...{ email: user.email, email_verified: user.emailVerified, ...(user.name && { name: user.name }) },
      firebase: { identities: { email: [user.email] }, sign_in_provider: user.provider },
      ...over,
    })
      .setProtectedHeader({ alg: 'RS256', kid, typ: 'JWT' })
      .sign(privateKey);
  }

  const endpoints: Record<string, (body: Record<string, string>) => unknown> = {
    'GET /jwks': async () => {
      keySetReads++;
      return { keys: [(await key).jwk] };
    },
    'POST /v1/accounts:sendOobCode': ({ email = '' }) => {
      oobCodes.set(randomBytes(12).toString('hex'), email);
      return { kind: 'identitytoolkit#GetOobConfirmationCodeResponse', email };
    },
    [`GET /emulator/v1/projects/${projectId}/oobCodes`]: () => ({
      oobCodes: [...oobCodes].map(([oobCode, email]) => ({ email, requestType: 'EMAIL_SIGNIN', oobCode })),
    }),
    'POST /v1/accounts:signInWithEmailLink': ({ email = '', oobCode = '' }) => {
      const sentTo = oobCodes.get(oobCode);
      if (sentTo === undefined) throw new Error('INVALID_OOB_CODE');
      if (sentTo !== email) throw new Error('INVALID_EMAIL : the code is for another address');
      oobCodes.delete(oobCode);
      return tokensOf(signedIn(email, 'password'));
    },
    'POST /v1/accounts:signInWithIdp': ({ postBody }) => {
      const form = new URLSearchParams(postBody);
      const google = googleSchema.parse(JSON.parse(form.get('id_token') ?? ''));
      const { email, email_verified: emailVerified, name } = google;
      return tokensOf(
        signedIn(email, form.get('providerId') ?? '', { emailVerified, ...(name && { name }) }),
      );
    },
    [`POST /v1/projects/${projectId}/accounts:lookup`]: ({ localId }) => {
      const user = users.get(String(localId));
      return user === undefined ? {} : { users: [lookedUp(user)] };
    },
  };

  async function tokensOf(user: StoredUser) {
    const { uid: localId, email } = user;
    return { localId, email, idToken: await idToken(user), refreshToken: 'refresh', expiresIn: '3600' };
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of request) text += chunk;
    const path = new URL(request.url ?? '', 'http://issuer').pathname.replace(
      '/identitytoolkit.googleapis.com',
      '',
    );
    const send = (status: number, body: unknown) =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (broken) return send(500, {});
    try {
      const endpoint = endpoints[`${request.method} ${path}`];
      if (endpoint === undefined) throw new Error(`NOT_FOUND : ${path}`);
      send(200, await endpoint(text === '' ? {} : JSON.parse(text)));
    } catch (error) {
      const message = error instanceof Error ? error.message : 'INTERNAL';
      send(400, { error: { code: 400, message, errors: [{ message, reason: 'invalid' }] } });
    }
  }

  const server = createServer((request, response) => void serve(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const host = `127.0.0.1:${port}`;

  return {
    projectId,
    host,
    url: `http://${host}`,
    jwksUrl: `http://${host}/jwks`,
    users,
    signedIn,
    idToken,
    break: (isBroken: boolean) => {
      broken = isBroken;
    },
    keySetReads: () => keySetReads,
    close: () => new Promise((resolve) => server.close(resolve).closeAllConnections()),
  };
}

const googleSchema = z.object({
  email: z.string(),
  email_verified: z.boolean().default(false),
  name: z.string().optional(),
});

/** As the Admin SDK reads a user. */
function lookedUp({ uid, email, emailVerified, disabled, validSince }: StoredUser) {
  return { localId: uid, email, emailVerified, disabled, validSince: String(validSince) };
}

async function newKey(kid: string) {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' } };
}
