import { onTestFinished } from 'vitest';
import { OutboundError } from '../../../src/platform/net/outbound-error.ts';
import {
  createOutboundHttp,
  type OutboundHttp,
  type OutboundHttpOptions,
  type OutboundRequest,
  type OutboundResponse,
} from '../../../src/platform/net/outbound-http.ts';

import { PATIENCE_MS } from '../../support/patience.ts';

export const LOOPBACK = { https: 'optional', loopback: true } as const;
export const TEST = { https: 'optional', loopback: false } as const;
export const LIVE = { https: 'required', loopback: false } as const;

export interface Outbound extends OutboundHttp {
  /** Posts a small body, to this machine unless told otherwise. */
  send(url: string, more?: Partial<OutboundRequest>): Promise<OutboundResponse>;
  /** The word for why it failed, or the status of the answer. */
  outcome(url: string, more?: Partial<OutboundRequest>): Promise<string | number>;
}

/** The door out, closed after the test. */
export function openOutbound(options?: OutboundHttpOptions): Outbound {
  const http = createOutboundHttp(options);
  onTestFinished(() => http.close());
  const send: Outbound['send'] = (url, more) =>
    http.post({
      url,
      headers: { 'content-type': 'application/json' },
      body: '{"id":"evt_1"}',
      timeoutMs: PATIENCE_MS,
      maxResponseBytes: 4_096,
      policy: LOOPBACK,
      ...more,
    });
  return {
    ...http,
    send,
    outcome: (url, more) => send(url, more).then(({ status }) => status, reasonOf),
  };
}

/** The reason of an outbound error; throws what is none. */
export function reasonOf(error: unknown): string {
  if (error instanceof OutboundError) return error.reason;
  throw error;
}
