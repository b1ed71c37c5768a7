import { parseArgs } from 'node:util';

/** How much is measured. */
export interface Options {
  queue: 'postgres' | 'redis';
  /** One part of it alone. */
  only: 'messages' | 'webhooks' | undefined;
  /** Rounds of traffic; figures are the median over them. */
  rounds: number;
  /** Messages a round: one after the other, sixteen at once, and as fast as they are taken. */
  messages: { single: number; sixteen: number; burst: number };
  /** Messages before, until V8 has compiled what is hot: a fresh process takes a third more CPU time. */
  warmUp: { single: number; sixteen: number };
  /** First messages to numbers never written to, a round. */
  strangers: number;
  /** Numbers of idle sessions, ascending. */
  sessions: readonly number[];
  /** How long idle sessions are watched. */
  idleMs: number;
  /** Directory for V8 CPU profiles of Pingr's processes. */
  profileDir: string | undefined;
}

const FULL = {
  rounds: 3,
  messages: { single: 500, sixteen: 2000, burst: 2000 },
  warmUp: { single: 300, sixteen: 3000 },
  strangers: 60,
  sessions: [1, 50, 200],
  idleMs: 10_000,
} as const;

const QUICK = {
  rounds: 1,
  messages: { single: 200, sixteen: 500, burst: 500 },
  warmUp: { single: 100, sixteen: 500 },
  strangers: 20,
  sessions: [1, 10, 25],
  idleMs: 4_000,
} as const;

const USAGE =
  'npm run bench -- [--quick] [--queue=postgres|redis] [--skip-sessions] [--only=messages|webhooks] [--profile=DIRECTORY]';

/** Reads the command line. @throws Error that says how to use it */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      queue: { type: 'string', default: 'postgres' },
      'skip-sessions': { type: 'boolean', default: false },
      only: { type: 'string' },
      profile: { type: 'string' },
    },
  });
  const { queue, only } = values;
  if (only !== undefined && only !== 'messages' && only !== 'webhooks') throw new Error(USAGE);
  if (queue !== 'postgres' && queue !== 'redis') throw new Error(USAGE);
  const size = values.quick ? QUICK : FULL;
  return {
    ...size,
    queue,
    only,
    profileDir: values.profile,
    ...(values['skip-sessions'] && { sessions: [] }),
  };
}
