import { createHash } from 'node:crypto';
import { LINK_MINUTES } from './magic-links.ts';
import { isExpected } from './sign-in.system.ts';
import type { SignInParts } from './sign-in-parts.ts';

/** Links that one address gets per window of the limiter. */
const LINKS_PER_WINDOW = 5;
/** Longer than the work ever takes, so that the time of the answer does not tell whether a mail was written. */
const ANSWER_MS = 250;

/**
 * Writes a sign-in mail, unless the address has had too many or, where nobody signs up, nobody knows it. Both look the
 * same from outside.
 */
export async function requestLink(parts: SignInParts, email: string): Promise<void> {
  const evenly = parts.clock.sleep(ANSWER_MS);
  try {
    await writeMail(parts, email);
  } finally {
    await evenly;
  }
}

async function writeMail(parts: SignInParts, email: string): Promise<void> {
  const { database, mail, links, linkLimiter, signUp, log } = parts;
  // The counter outlives an account that is erased: it must not name anybody.
  const counter = `link:${createHash('sha256').update(email).digest('base64url')}`;
  const { allowed } = await linkLimiter.take(counter, LINKS_PER_WINDOW, 1);
  if (!allowed) {
    log.info({}, 'sign-in link not sent: the address has had too many');
    return;
  }
  const isSent = await database.system(async (tx) => {
    if (signUp === 'invited' && !(await isExpected(tx, email))) return false;
    const values = { url: parts.signInUrl(links.write(email)), minutesValid: LINK_MINUTES };
    await mail.send(tx, { accountId: null, to: email, template: 'magic_link', values });
    return true;
  });
  if (isSent) mail.wake();
}
