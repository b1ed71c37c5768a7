import { expect, it } from 'vitest';
import { isTimeZone } from '../../src/lib/time-zone.ts';

it.each(['UTC', 'Asia/Kolkata', 'America/Argentina/Buenos_Aires', 'Europe/Kyiv'])(
  '%s is a time zone',
  (name) => expect(isTimeZone(name)).toBe(true),
);

it.each(['', '+05:30', 'Mars/Olympus', 'IST5', 'Asia/'])('"%s" is none', (name) =>
  expect(isTimeZone(name)).toBe(false),
);
