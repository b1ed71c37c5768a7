import { OutboundError, type OutboundResponse } from '../../platform/net/outbound-http.ts';
import { restAskedFor } from './retry-schedule.ts';

/** What a try came to. */
export interface Verdict {
  /** `interrupted`: given up from this side, because the worker goes. */
  outcome: 'succeeded' | 'failed' | 'interrupted';
  statusCode: number | null;
  /** Stable word for what went wrong: `status`, or why there was no answer. */
  error: string | null;
  /** The receiver wants no request at all for so many milliseconds. */
  restMs: number | null;
  /** The receiver wants no more events, ever. */
  gone: boolean;
}

const RESTING = new Set([429, 503]);
const GONE = 410;

/** Judges an answer: 2xx is success, all else failure, redirects too. */
export function judgeAnswer(answer: Pick<OutboundResponse, 'status' | 'headers'>, now: Date): Verdict {
  const { status, headers } = answer;
  const succeeded = status >= 200 && status < 300;
  return {
    outcome: succeeded ? 'succeeded' : 'failed',
    statusCode: status,
    error: succeeded ? null : 'status',
    restMs: RESTING.has(status) ? (restAskedFor(headers['retry-after'], now) ?? null) : null,
    gone: status === GONE,
  };
}

/** Judges a request that got no answer. */
export function judgeFailure(error: unknown): Verdict {
  const nothing = { statusCode: null, restMs: null, gone: false };
  const reason = error instanceof OutboundError ? error.reason : 'internal';
  return reason === 'aborted'
    ? { ...nothing, outcome: 'interrupted', error: null }
    : { ...nothing, outcome: 'failed', error: reason };
}
