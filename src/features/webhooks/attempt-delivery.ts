import type { Clock } from '../../lib/clock.ts';
import { toId } from '../../lib/ids.ts';
import type { AccountCipher, Vault } from '../../platform/crypto/vault.ts';
import { signWebhook } from '../../platform/crypto/webhook-signature.ts';
import type { Log } from '../../platform/log/log.ts';
import type { OutboundHttp, OutboundPolicy } from '../../platform/net/outbound-http.ts';
import type { ClaimedEndpoint } from './claim.system.ts';
import { judgeAnswer, judgeFailure, type Verdict } from './judge-answer.ts';
import { headersOf, responsePurpose, secretsOf } from './webhooks.model.ts';

/** An endpoint with its secrets opened. */
export interface Target {
  url: string;
  /** The customer's own, by lower-case name. */
  headers: Record<string, string>;
  /** All of them sign. */
  secrets: string[];
  cipher: AccountCipher;
}

/** Opens what an endpoint keeps sealed. @throws Error where it cannot be opened, or the database is away */
export async function openTarget(vault: Vault, endpoint: ClaimedEndpoint, at: Date): Promise<Target> {
  const cipher = await vault.of(endpoint.account_id);
  const own = Object.entries(headersOf(endpoint, cipher));
  return {
    url: endpoint.url,
    headers: Object.fromEntries(own.map(([name, value]) => [name.toLowerCase(), value])),
    secrets: secretsOf(endpoint, cipher, at),
    cipher,
  };
}

export interface AttemptParts {
  http: Pick<OutboundHttp, 'post'>;
  policy: OutboundPolicy;
  clock: Clock;
  log: Log;
  /** For the whole exchange. */
  timeoutMs: number;
}

/** One request that was made, and what came of it. */
export interface Attempt extends Verdict {
  url: string;
  startedAt: Date;
  durationMs: number;
  /** First 4 KB of the answer, sealed; null where there was none. */
  response: Buffer | null;
}

const RESPONSE_BYTES = 4_096;
const USER_AGENT = 'Pingr-Webhooks/1';

/**
 * Posts a payload to an endpoint, signed over the bytes that are sent.
 * @param signal gives the request up
 */
export async function attemptDelivery(
  { http, policy, clock, log, timeoutMs }: AttemptParts,
  target: Target,
  delivery: { attemptId: string; eventId: string; body: string },
  signal: AbortSignal,
): Promise<Attempt> {
  const { attemptId, eventId, body } = delivery;
  const { url } = target;
  const startedAt = clock.now();
  const started = performance.now();
  const duration = () => Math.round(performance.now() - started);
  try {
    const answer = await http.post({
      url,
      headers: {
        ...target.headers,
        'content-type': 'application/json',
        'user-agent': USER_AGENT,
        ...signWebhook({ id: toId('event', eventId), at: startedAt, body, secrets: target.secrets }),
      },
      body,
      timeoutMs,
      maxResponseBytes: RESPONSE_BYTES,
      policy,
      signal,
    });
    const durationMs = duration();
    const response =
      answer.body.length === 0 ? null : target.cipher.seal(answer.body, responsePurpose(attemptId));
    return { ...judgeAnswer(answer, clock.now()), url, startedAt, durationMs, response };
  } catch (error) {
    const verdict = judgeFailure(error);
    if (verdict.error === 'internal') log.error({ err: error, attempt: attemptId }, 'webhook attempt broke');
    return { ...verdict, url, startedAt, durationMs: duration(), response: null };
  }
}
