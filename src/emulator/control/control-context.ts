import type { Chat } from '../server/chat.ts';
import type { ServerContext } from '../server/session.ts';

/** What the control API works with. */
export interface ControlContext extends ServerContext, Chat {
  wsUrl: string;
  rootPublicKey: Uint8Array;
}

/** One call: what the path, the query and the body said. */
export interface ControlRequest {
  params: Record<string, string>;
  query: URLSearchParams;
  /** Parsed JSON; an empty object where the call has no body. */
  body: unknown;
}

export interface ControlReply {
  status: number;
  body?: unknown;
}

/** One call of the API. */
export interface ControlRoute {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** `:name` stands for one part. */
  path: string;
  handle(context: ControlContext, request: ControlRequest): ControlReply | Promise<ControlReply>;
}
