import { median } from '../load/statistics.ts';
import { freshTag, type LoadResult, runLoad, runWork } from '../load/traffic.ts';
import type { Row } from '../table.ts';
import { CONTACTS, rawSender, type Subjects } from './subjects.ts';

const LOADS = [
  { name: 'one at a time', connections: 1, untilArrival: true, size: 'single' },
  { name: '16 at once', connections: 16, untilArrival: true, size: 'sixteen' },
  { name: 'burst over 16 connections', connections: 16, untilArrival: false, size: 'burst' },
] as const;

/** Raw Baileys without HTTP: the yardstick for CPU. */
type Bare = Awaited<ReturnType<typeof runWork>>;
type Round = { raw: LoadResult; bare: Bare; pingr: LoadResult };

/** Messages to known contacts: latency, rate and CPU, both in turn in every round. */
export async function measureMessages(subjects: Subjects): Promise<Row[]> {
  const { options, pingr } = subjects;
  await warmUp(subjects);
  const rounds = LOADS.map((): Round[] => []);
  for (let n = 0; n < options.rounds; n++) {
    for (const [i, load] of LOADS.entries()) {
      const count = options.messages[load.size];
      const spec = { contacts: CONTACTS, count, ...load };
      rounds[i]?.push({
        bare: await runBare(subjects, count, load.connections),
        raw: await runLoad(subjects.emulator, rawSender(subjects), spec),
        pingr: await runLoad(subjects.emulator, pingr, spec),
      });
    }
  }
  return LOADS.flatMap((load, i) => rowsOf(load, rounds[i] ?? []));
}

function runBare({ raw }: Subjects, count: number, window: number): Promise<Bare> {
  return runWork(rawSender({ raw }), count, () =>
    raw.command('run', { count, window, contacts: CONTACTS, text: freshTag() }),
  );
}

async function warmUp(subjects: Subjects): Promise<void> {
  const { single, sixteen } = subjects.options.warmUp;
  for (const sender of [rawSender(subjects), subjects.pingr]) {
    for (const { connections, count } of [
      { connections: 16, count: sixteen },
      { connections: 1, count: single },
    ]) {
      await runLoad(subjects.emulator, sender, {
        contacts: CONTACTS,
        count,
        connections,
        untilArrival: true,
      });
    }
  }
}

function rowsOf({ name, untilArrival }: (typeof LOADS)[number], rounds: readonly Round[]): Row[] {
  const of = (pick: (round: Round) => number) => median(rounds.map(pick));
  const row = (what: string, unit: string, pick: (result: LoadResult) => number): Row => ({
    what: `${name}: ${what}`,
    unit,
    raw: of(({ raw }) => pick(raw)),
    pingr: of(({ pingr }) => pick(pingr)),
  });
  const cpu = (what: string, pick: (round: Round) => number): Row => ({
    what: `${name}: CPU a message${what}`,
    unit: 'ms',
    raw: of(({ bare }) => bare.cpu.own),
    pingr: of(pick),
  });
  return [
    ...(untilArrival
      ? [row('request to phone, p50', 'ms', (r) => r.p50), row('request to phone, p99', 'ms', (r) => r.p99)]
      : []),
    row('messages a second', '/s', (r) => r.perSecond),
    cpu(', database apart', ({ pingr }) => pingr.cpu.own),
    cpu(', database included', ({ pingr }) => pingr.cpu.own + pingr.cpu.database),
  ];
}
