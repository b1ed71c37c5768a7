import { hashToken } from '../../platform/crypto/token-hash.ts';
import type { SystemTx } from '../../platform/db/scope.ts';
import { signInErrors } from './sign-in.errors.ts';
import { deleteSignIn, insertSignIn, lockByRefresh, turnRefresh } from './sign-in.system.ts';
import type { SignInParts, Visitor } from './sign-in-parts.ts';

/** What a person's browser keeps. */
export interface SignInTokens {
  /** UUID. */
  signInId: string;
  accessToken: string;
  /** Of the access token, in seconds. */
  expiresIn: number;
  refreshToken: string;
}

/** A sign-in that is not refreshed for so long is over. */
const SIGN_IN_DAYS = 30;
const TOKEN_BYTES = 32;
const LONGEST_AGENT = 300;
/** For so long the refresh token before works once more: its answer may have been lost on the way. */
const GRACE_MS = 30_000;

type TokenParts = Pick<SignInParts, 'tokens' | 'newUuid' | 'randomBytes' | 'clock'>;

/** Signs a user in: a sign-in of its own, whose deletion ends both tokens. */
export async function issueTokens(
  parts: TokenParts,
  tx: SystemTx,
  userId: string,
  visitor: Visitor,
): Promise<SignInTokens> {
  const id = parts.newUuid();
  const fresh = freshRefresh(parts, visitor);
  await insertSignIn(tx, { id, userId, ...fresh.stored });
  return tokensOf(parts, { userId, signInId: id }, fresh.refreshToken);
}

/**
 * Takes a refresh token for new tokens. One that was taken before means that two have it, the person and a thief: then
 * both are signed out (RFC 9700 §4.14.2).
 * @throws auth.refresh_invalid
 */
export async function refreshTokens(
  parts: TokenParts & Pick<SignInParts, 'database' | 'log'>,
  refreshToken: string,
  visitor: Visitor,
): Promise<{ userId: string; tokens: SignInTokens }> {
  const { database, clock, log } = parts;
  const shown = hashToken(refreshToken);
  const turned = await database.system(async (tx) => {
    const now = clock.now();
    const found = await lockByRefresh(tx, shown, now);
    if (found === undefined) return undefined;
    const { id, user_id: userId, current, refreshed_at } = found;
    if (!current && now.getTime() - refreshed_at.getTime() > GRACE_MS) {
      await deleteSignIn(tx, userId, id);
      log.warn({}, 'a refresh token was used twice: signed out');
      return undefined;
    }
    const fresh = freshRefresh(parts, visitor);
    await turnRefresh(tx, { id, shown, ...fresh.stored });
    return { userId, tokens: await tokensOf(parts, { userId, signInId: id }, fresh.refreshToken) };
  });
  if (turned === undefined) throw signInErrors.refreshInvalid();
  return turned;
}

function freshRefresh({ randomBytes, clock }: TokenParts, { ip, userAgent }: Visitor) {
  const refreshToken = `rt_${Buffer.from(randomBytes(TOKEN_BYTES)).toString('base64url')}`;
  const at = clock.now();
  const expiresAt = new Date(at.getTime() + SIGN_IN_DAYS * 86_400_000);
  const agent = userAgent?.slice(0, LONGEST_AGENT);
  return {
    refreshToken,
    stored: { refreshHash: hashToken(refreshToken), ip, userAgent: agent, at, expiresAt },
  };
}

async function tokensOf(
  { tokens }: TokenParts,
  identity: { userId: string; signInId: string },
  refreshToken: string,
): Promise<SignInTokens> {
  const accessToken = await tokens.sign(identity);
  const { signInId } = identity;
  return { signInId, accessToken, expiresIn: tokens.lifetimeSeconds, refreshToken };
}
