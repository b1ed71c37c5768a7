import type { SocketConfig } from '@whiskeysockets/baileys';
import type { Log } from '../../platform/log/log.ts';

type BaileysLogger = SocketConfig['logger'];

/**
 * Baileys' logger on ours. Baileys logs whole stanzas, keys and message text beside its sentences, so only the sentence
 * and the name and status of an error get through, with every longer run of digits (numbers, LIDs, ids) blotted out.
 * What Baileys calls errors are mostly events that it handles itself: they become warnings, and the rest is dropped.
 */
export function baileysLogger(log: Log): BaileysLogger {
  const say = (level: 'debug' | 'warn') => (fields: unknown, message?: string) => {
    const text = typeof fields === 'string' ? fields : (message ?? '');
    log[level]({ library: 'baileys', ...errorOf(fields) }, blot(text));
  };
  const logger: BaileysLogger = {
    // Baileys formats stanzas for `trace` and `debug` only where the level says so.
    level: 'warn',
    child: () => logger,
    trace: () => undefined,
    debug: () => undefined,
    info: () => undefined,
    warn: say('debug'),
    error: say('warn'),
  };
  return logger;
}

/** Text of a library, made fit for a log: digits blotted out, one line, cut short. */
export function blot(text: string): string {
  return text
    .replaceAll(/\d{5,}/g, '…')
    .replaceAll(/\s+/g, ' ')
    .slice(0, 200);
}

function errorOf(fields: unknown): { problem?: string; status?: number } {
  if (typeof fields !== 'object' || fields === null) return {};
  const error =
    'err' in fields ? fields.err : 'error' in fields ? fields.error : 'e' in fields ? fields.e : fields;
  if (!(error instanceof Error)) return {};
  const status = statusOf(error);
  return { problem: blot(`${error.name}: ${error.message}`), ...(status === undefined ? {} : { status }) };
}

/** The status code that a Boom carries. */
export function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('output' in error)) return undefined;
  const { output } = error;
  if (typeof output !== 'object' || output === null || !('statusCode' in output)) return undefined;
  return typeof output.statusCode === 'number' ? output.statusCode : undefined;
}
