/** What is counted. */
export const METRICS = ['messages', 'requests'] as const;
export type Metric = (typeof METRICS)[number];

/** Statuses of messages, each counted when a message comes to it. `queued` counts what was accepted for sending. */
export const COUNTED_STATUSES = [
  'queued',
  'sent',
  'delivered',
  'read',
  'played',
  'failed',
  'received',
] as const;
export type CountedStatus = (typeof COUNTED_STATUSES)[number];

/** The statuses by which every message that was handed in or came in is counted once. */
export const ONCE_A_MESSAGE: readonly CountedStatus[] = ['queued', 'received'];

export function isCountedStatus(text: string): text is CountedStatus {
  return COUNTED_STATUSES.some((status) => status === text);
}

export const BUCKETS = ['hour', 'day', 'month'] as const;
export type Bucket = (typeof BUCKETS)[number];

/** By what counts may be set apart. Messages have a session, requests a key or a user. */
export const GROUPS = ['status', 'session', 'key', 'user'] as const;
export type Group = (typeof GROUPS)[number];

/** A stretch of time, `until` not included. */
export interface Range {
  since: Date;
  until: Date;
}

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** Lengths of the stretches that counts are kept by, in minutes, longest first. */
const STRETCHES = [1440, 360, 60, 30, 15] as const;
const FINEST = 15;

/** Stretches of one length that follow each other. */
export interface Stretches extends Range {
  minutes: (typeof STRETCHES)[number];
}

/** Widened to whole quarters of an hour, which is as fine as counts are kept. Every time zone has its midnight on one. */
export function toQuarters({ since, until }: Range): Range {
  return { since: floor(since, FINEST), until: ceil(until, FINEST) };
}

/** The fewest stretches that make up a range whose ends are on quarters of an hour, in their order. */
export function coverOf(range: Range, lengths: readonly Stretches['minutes'][] = STRETCHES): Stretches[] {
  const [minutes, ...shorter] = lengths;
  if (minutes === undefined || range.since >= range.until) return [];
  const since = ceil(range.since, minutes);
  const until = floor(range.until, minutes);
  if (since >= until) return coverOf(range, shorter);
  return [
    ...coverOf({ since: range.since, until: since }, shorter),
    { minutes, since, until },
    ...coverOf({ since: until, until: range.until }, shorter),
  ];
}

function floor(at: Date, minutes: number): Date {
  return new Date(Math.floor(at.getTime() / (minutes * MINUTE_MS)) * minutes * MINUTE_MS);
}

function ceil(at: Date, minutes: number): Date {
  return new Date(Math.ceil(at.getTime() / (minutes * MINUTE_MS)) * minutes * MINUTE_MS);
}

/** Longest range that may be asked for, in days: so that an answer has at most a thousand buckets. */
export const LONGEST_DAYS: Record<Bucket, number> = { hour: 31, day: 400, month: 3_700 };

/** Whether a range is short enough for its buckets. */
export function fits({ since, until }: Range, bucket: Bucket): boolean {
  return until.getTime() - since.getTime() <= LONGEST_DAYS[bucket] * DAY_MS;
}

/** The range where the caller leaves out an end: up to now, from so many days before. */
export function defaultRange(
  given: { since?: Date | undefined; until?: Date | undefined },
  now: Date,
  days: number,
): Range {
  const until = given.until ?? now;
  return { since: given.since ?? new Date(until.getTime() - days * DAY_MS), until };
}

const EARLIEST = Date.UTC(2020, 0);
const LATEST = Date.UTC(2100, 0);

/** Before it nothing was counted, and time zones had stranger offsets; after it years have no end. */
export function isOutOfReach({ since, until }: Range): boolean {
  return since.getTime() < EARLIEST || until.getTime() > LATEST;
}
