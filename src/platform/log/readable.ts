import type { DestinationStream } from 'pino';
import { z } from 'zod';

const lineSchema = z.looseObject({
  time: z.string(),
  level: z.string(),
  msg: z.string().optional(),
  role: z.string().optional(),
  mode: z.string().optional(),
});

/** Turns JSON lines into `12:30:45 info  worker.test  session opened  session=ses_… took=12` for a terminal. */
export function readableStream(out: DestinationStream): DestinationStream {
  return {
    write(json: string): void {
      out.write(`${readableLine(json)}\n`);
    },
  };
}

function readableLine(json: string): string {
  const { time, level, msg, role, mode, err, ...rest } = lineSchema.parse(JSON.parse(json));
  const process = [role, mode].filter((part) => part !== undefined).join('.');
  const fields = Object.entries(rest).map(([name, value]) => `${name}=${shown(value)}`);
  const head = [time.slice(11, 19), level.padEnd(5), process, msg ?? '', ...fields].filter(
    (part) => part !== '',
  );
  return [head.join('  '), ...errorLines(err)].join('\n');
}

function shown(value: unknown): string {
  return typeof value === 'string' && !/\s/.test(value) ? value : JSON.stringify(value);
}

const errorSchema = z.object({ stack: z.string().optional(), reason: z.string().optional() });

function errorLines(error: unknown): string[] {
  if (error === undefined) return [];
  const parsed = errorSchema.safeParse(error);
  const text = parsed.success ? (parsed.data.stack ?? parsed.data.reason) : undefined;
  return (text ?? JSON.stringify(error)).split('\n').map((line) => `          ${line}`);
}
