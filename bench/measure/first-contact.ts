import { until } from '../emulator/emulator.ts';
import { median } from '../load/statistics.ts';
import { type LoadResult, runLoad } from '../load/traffic.ts';
import type { Row } from '../table.ts';
import { CONTACTS, freshNumber, rawSender, type Subjects } from './subjects.ts';

/** The first message to a number, and the first to a known one after the connection was opened anew. */
export async function measureFirstContact(subjects: Subjects): Promise<Row[]> {
  const { emulator, raw, pingr, options } = subjects;
  const strangers: { raw: LoadResult; pingr: LoadResult }[] = [];
  const known: typeof strangers = [];
  const one = { connections: 1, untilArrival: true } as const;
  for (let n = 0; n < options.rounds; n++) {
    const contacts = Array.from({ length: options.strangers }, freshNumber);
    const toStrangers = { ...one, contacts, count: contacts.length };
    strangers.push({
      raw: await runLoad(emulator, rawSender(subjects), toStrangers),
      pingr: await runLoad(emulator, pingr, toStrangers),
    });
    await raw.command('close');
    await raw.command('open');
    await pingr.stopWorker();
    await pingr.startWorker();
    // Its row says connected all along.
    await until(async () => (await emulator.devicesOnline()) === 2, 'both to be connected');
    const toKnown = { ...one, contacts: CONTACTS, count: CONTACTS.length };
    known.push({
      raw: await runLoad(emulator, rawSender(subjects), toKnown),
      pingr: await runLoad(emulator, pingr, toKnown),
    });
  }
  const row = (
    what: string,
    unit: string,
    rounds: typeof strangers,
    pick: (result: LoadResult) => number,
  ): Row => ({
    what,
    unit,
    raw: median(rounds.map((round) => pick(round.raw))),
    pingr: median(rounds.map((round) => pick(round.pingr))),
  });
  return [
    row('first message to a stranger: p50', 'ms', strangers, (r) => r.p50),
    row('first message to a stranger: CPU, database apart', 'ms', strangers, (r) => r.cpu.own),
    row('first message to a known contact after a restart: p50', 'ms', known, (r) => r.p50),
  ];
}
