import { z } from 'zod';
import type { Clock } from '../../lib/clock.ts';
import { signWebhook } from '../../platform/crypto/webhook-signature.ts';
import {
  OutboundError,
  type OutboundHttp,
  type OutboundPolicy,
  type OutboundResponse,
} from '../../platform/net/outbound-http.ts';
import { LONGEST_TEXT } from './render-reply.ts';

export interface AskParts {
  http: Pick<OutboundHttp, 'post'>;
  policy: OutboundPolicy;
  clock: Clock;
  timeoutMs: number;
}

export interface Question {
  url: string;
  secret: string;
  /** The same when it is asked again. */
  id: string;
  body: string;
}

export type ReplyAnswer =
  | { kind: 'text'; text: string }
  /** The server wants none. */
  | { kind: 'none' }
  /** A stable word for why there is no usable answer. */
  | { kind: 'failed'; reason: string };

const MAX_BYTES = 65_536;
const USER_AGENT = 'Pingr-Triggers/1';

/**
 * Asks a customer's server for the text of a reply, signed like a webhook.
 * @param signal gives up
 * @throws OutboundError `aborted` where the signal did, so that nothing is concluded
 */
export async function askReply(
  { http, policy, clock, timeoutMs }: AskParts,
  { url, secret, id, body }: Question,
  signal: AbortSignal,
): Promise<ReplyAnswer> {
  try {
    const answer = await http.post({
      url,
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/plain',
        'user-agent': USER_AGENT,
        ...signWebhook({ id, at: clock.now(), body, secrets: [secret] }),
      },
      body,
      timeoutMs,
      maxResponseBytes: MAX_BYTES,
      policy,
      signal,
    });
    return readAnswer(answer);
  } catch (error) {
    if (!(error instanceof OutboundError) || error.reason === 'aborted') throw error;
    return { kind: 'failed', reason: error.reason };
  }
}

const jsonAnswer = z.object({ reply: z.string().nullish() });

/** What an answer says; redirects are not followed and say nothing. */
export function readAnswer({ status, headers, body, truncated }: OutboundResponse): ReplyAnswer {
  if (status < 200 || status >= 300) return { kind: 'failed', reason: `status ${status}` };
  const text = new TextDecoder().decode(body);
  if (status === 204 || text.trim() === '') return { kind: 'none' };
  if (truncated) return { kind: 'failed', reason: 'too long' };
  const type = headers['content-type'] ?? '';
  if (/^text\/plain\b/i.test(type)) return textAnswer(text);
  if (!/^application\/([^;]+\+)?json\b/i.test(type)) return { kind: 'failed', reason: 'content type' };
  const parsed = jsonAnswer.safeParse(parseJson(text));
  return parsed.success ? textAnswer(parsed.data.reply ?? '') : { kind: 'failed', reason: 'invalid JSON' };
}

function textAnswer(text: string): ReplyAnswer {
  if (text.trim() === '') return { kind: 'none' };
  return text.length > LONGEST_TEXT ? { kind: 'failed', reason: 'too long' } : { kind: 'text', text };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
