import { LRUCache } from 'lru-cache';

/** When a trigger works, by the clock on the wall of a place. */
export interface ActiveHours {
  /** IANA name. */
  time_zone: string;
  /** 1 is Monday, 7 Sunday. */
  days: number[];
  /** `HH:MM`. Where `to` is not after it, the hours end on the next day. */
  from: string;
  /** `HH:MM`, up to `24:00`; the minute itself is outside. */
  to: string;
}

/** A moment as a clock in a place shows it. */
interface WallTime {
  /** 1 is Monday. */
  weekday: number;
  /** Since midnight. */
  minute: number;
  /** `YYYY-MM-DD`. */
  date: string;
}

/**
 * Whether the hours hold at an instant. A day stands for the hours that begin on it: Friday 22:00 to 06:00 holds early
 * on Saturday. Daylight saving time needs no care, since clocks on walls follow it.
 */
export function isActive(hours: ActiveHours, at: Date): boolean {
  const { weekday, minute } = wallTime(hours.time_zone, at);
  const [from, to] = [minuteOf(hours.from), minuteOf(hours.to)];
  const yesterday = weekday === 1 ? 7 : weekday - 1;
  if (from < to) return hours.days.includes(weekday) && minute >= from && minute < to;
  return (hours.days.includes(weekday) && minute >= from) || (hours.days.includes(yesterday) && minute < to);
}

/** The date in a place, `YYYY-MM-DD`. */
export function localDate(timeZone: string, at: Date): string {
  return wallTime(timeZone, at).date;
}

function minuteOf(time: string): number {
  const [hours = '0', minutes = '0'] = time.split(':');
  return Number(hours) * 60 + Number(minutes);
}

const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
/** Making one is slow. There are some 600 names of zones, few of them in use. */
const formats = new LRUCache<string, Intl.DateTimeFormat>({ max: 200 });

function wallTime(timeZone: string, at: Date): WallTime {
  const parts = Object.fromEntries(
    formatOf(timeZone)
      .formatToParts(at)
      .map(({ type, value }) => [type, value]),
  );
  return {
    weekday: WEEKDAYS.indexOf(parts['weekday'] ?? '') + 1,
    minute: Number(parts['hour']) * 60 + Number(parts['minute']),
    date: `${parts['year']}-${parts['month']}-${parts['day']}`,
  };
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const two = '2-digit';
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    weekday: 'short',
    year: 'numeric',
    month: two,
    day: two,
    hour: two,
    minute: two,
  });
  formats.set(timeZone, format);
  return format;
}
