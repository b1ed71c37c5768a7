import { Readable } from 'node:stream';
import type { z } from 'zod';
import type { ServerSentEvent } from './event-stream.ts';

/** One answer that an operation may give. Without `schema` and `media` it has no body. */
export interface Answer {
  description: string;
  /** The JSON body. Fields that the schema does not name are left out. */
  schema?: z.ZodType;
  /** Other media types that the body may have, with a schema that describes each. */
  media?: Record<string, z.ZodType>;
  /** Headers, by name, with a description. */
  headers?: Record<string, string>;
}

/** Statuses of success; everything else is a problem. */
type SuccessStatus = 200 | 201 | 202 | 204;

/** By status. */
export type Answers = { [S in SuccessStatus]?: Answer };

/** What every reply may carry. */
interface ReplyParts {
  headers?: Record<string, string>;
}

/** A reply whose declaration is no longer known. */
interface AnyReply extends ReplyParts {
  status?: SuccessStatus;
  body?: unknown;
  replayBody?: unknown;
  media?: string;
  bytes?: Uint8Array | string | Readable;
  replay?: StoredAnswer;
}

/** An answer, or a problem of ours, as it was given the first time; its text is JSON, or empty. */
export interface StoredAnswer {
  status: number;
  text: string;
}

type ReplyFor<Status, A> =
  | (A extends { schema: infer S extends z.ZodType } ? JsonReply<Status, z.input<S>> : never)
  | (A extends { media: infer M } ? MediaReply<Status, keyof M & string> : never)
  | (A extends { schema: unknown } | { media: unknown } ? never : EmptyReply<Status>);

interface EmptyReply<Status> extends ReplyParts {
  status: Status;
}

interface JsonReply<Status, Body> extends ReplyParts {
  status: Status;
  body: Body;
  /** What repeats of the request get instead of a body that holds a secret. */
  replayBody?: Body;
}

interface MediaReply<Status, Media> extends ReplyParts {
  status: Status;
  media: Media;
  /** A stream is sent as it comes; where it fails the connection is cut, so that nobody takes a part for the whole. */
  bytes: Uint8Array | string | Readable;
}

/**
 * What a handler returns: one of the declared answers, or `replay`, the answer that a repeated request got the first
 * time (`idempotency: 'own'`).
 */
export type Reply<A extends Answers> = (
  | { [S in keyof A]: ReplyFor<S, A[S]> }[keyof A]
  | { replay: StoredAnswer }
) &
  Literals;

/** Known before an operation's answers are, so that a handler's `status: 200` is not widened to a number. */
interface Literals {
  status?: SuccessStatus;
  media?: `${string}/${string}`;
}

/** A handler's reply, ready for the wire. */
export type Outcome =
  | {
      kind: 'answer';
      status: number;
      headers: Record<string, string>;
      type: string;
      payload: string | Uint8Array | undefined;
      /** Text to keep for repeats of the request; `undefined` where `payload` is it. */
      replayText?: string | undefined;
    }
  | { kind: 'download'; status: number; headers: Record<string, string>; type: string; content: Readable }
  | { kind: 'replay'; answer: StoredAnswer }
  | { kind: 'stream'; events: AsyncIterable<ServerSentEvent> };

export const JSON_TYPE = 'application/json; charset=utf-8';

/** Turns a reply into an outcome; a body that breaks its schema is an error of ours. */
export function toOutcome(answers: Answers, reply: AnyReply): Outcome {
  if (reply.replay !== undefined) return { kind: 'replay', answer: reply.replay };
  const { status = 200, headers = {}, media, bytes, body, replayBody } = reply;
  if (media !== undefined) {
    return bytes instanceof Readable
      ? { kind: 'download', status, headers, type: media, content: bytes }
      : { kind: 'answer', status, headers, type: media, payload: bytes };
  }
  const schema = answers[status]?.schema;
  if (schema === undefined) return { kind: 'answer', status, headers, type: JSON_TYPE, payload: undefined };
  return {
    kind: 'answer',
    status,
    headers,
    type: JSON_TYPE,
    payload: JSON.stringify(schema.parse(body)),
    replayText: replayBody === undefined ? undefined : JSON.stringify(schema.parse(replayBody)),
  };
}
