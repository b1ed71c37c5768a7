import pino, { type DestinationStream, type Logger } from 'pino';
import { plainFields } from './plain.ts';
import { readableStream } from './readable.ts';
import { redactLine } from './redact.ts';

/** Structured log. Context goes in the object, one short constant sentence in the message. */
export type Log = Pick<Logger, 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'child'>;

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LogOptions {
  level: LogLevel;
  /** `json`: one object a line, for collectors; `readable`: one short line, for a person at a terminal. */
  format: 'json' | 'readable';
  /** On every line: the role, and the mode where the process has one. */
  fields?: Record<string, string>;
  /** Where lines go; standard output by default. */
  destination?: DestinationStream;
}

/**
 * Makes the process's log. Every line passes redaction, whoever wrote it: see `redact.ts`.
 * Lines of one process are written in order and synchronously, so none is lost when it dies.
 */
export function createLog({ level, format, fields = {}, destination }: LogOptions): Logger {
  const out = destination ?? pino.destination({ dest: 1, sync: true });
  return pino(
    {
      level,
      base: fields,
      timestamp: pino.stdTimeFunctions.isoTime,
      errorKey: 'err',
      formatters: { level: (label) => ({ level: label }), log: plainFields },
      // Pino's own would read an error that the formatter above has already made plain.
      serializers: { err: (error: unknown) => error },
      hooks: { streamWrite: redactLine },
    },
    format === 'readable' ? readableStream(out) : out,
  );
}
