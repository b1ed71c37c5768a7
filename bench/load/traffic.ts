import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchEmulator } from '../emulator/emulator.ts';
import { sharedMicros } from '../machine/time.ts';
import { type Door, postJson } from './http.ts';
import { quantile } from './statistics.ts';

/** CPU time in milliseconds: of the processes themselves, and of the database (and Redis) under them. */
export interface Cpu {
  own: number;
  database: number;
}

/** Something that sends messages, and what it costs. */
export interface Sender {
  door: Door;
  cpu: () => Promise<Cpu>;
}

/** What one load came to; times in milliseconds. */
export interface LoadResult {
  /** From the request to the message in the phone's inbox. */
  p50: number;
  p99: number;
  perSecond: number;
  /** Per message, receipts included. */
  cpu: Cpu;
}

/** Time in which receipts of the last messages come back and are written. */
const RECEIPTS_MS = 400;
let runs = 0;

/** Text that no other message of this run has. */
export function freshTag(): string {
  return `bench ${++runs}`;
}

/**
 * Sends messages to the contacts in turn over so many connections. With `untilArrival` each connection waits for its
 * message to arrive before the next, so that nothing queues up; without it for the answer alone.
 */
export async function runLoad(
  emulator: BenchEmulator,
  sender: Sender,
  load: { contacts: readonly string[]; count: number; connections: number; untilArrival: boolean },
): Promise<LoadResult> {
  const tag = freshTag();
  const { contacts, count, connections, untilArrival } = load;
  const { door } = sender;
  const latencies: number[] = [];
  const arrivals: Promise<unknown>[] = [];
  let next = 0;
  let last = 0;

  async function sendOne(n: number): Promise<void> {
    const text = `${tag} ${n}`;
    const started = sharedMicros();
    const arrived = emulator.arrival(text).then((at) => {
      latencies.push((at - started) / 1000);
      last = Math.max(last, at);
    });
    arrivals.push(arrived);
    await postJson(door.url, door.body(contacts[n % contacts.length] ?? '', text), door.headers);
    if (untilArrival) await arrived;
  }

  const before = await sender.cpu();
  const started = sharedMicros();
  const connection = async () => {
    while (next < count) await sendOne(next++);
  };
  await Promise.all(Array.from({ length: connections }, connection));
  await Promise.all(arrivals);
  await sleep(RECEIPTS_MS);
  const after = await sender.cpu();
  return {
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    perSecond: count / ((last - started) / 1_000_000),
    cpu: perMessage(before, after, count),
  };
}

/** What one message cost between two readings. */
export function perMessage(before: Cpu, after: Cpu, count: number): Cpu {
  return { own: (after.own - before.own) / count, database: (after.database - before.database) / count };
}

/** Runs `work` that sends `count` messages by itself, and waits for their receipts. */
export async function runWork(sender: Pick<Sender, 'cpu'>, count: number, work: () => Promise<unknown>) {
  const before = await sender.cpu();
  const started = sharedMicros();
  await work();
  const perSecond = count / ((sharedMicros() - started) / 1_000_000);
  await sleep(RECEIPTS_MS);
  return { perSecond, cpu: perMessage(before, await sender.cpu(), count) };
}
