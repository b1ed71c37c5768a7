import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ActiveHours, isActive, localDate } from '../../../src/features/triggers/active-hours.ts';

const hours = (more: Partial<ActiveHours>): ActiveHours => ({
  ...{ time_zone: 'UTC', days: [1, 2, 3, 4, 5, 6, 7], from: '09:00', to: '18:00' },
  ...more,
});
const active = (more: Partial<ActiveHours>, at: string) => isActive(hours(more), new Date(at));

describe('active hours', () => {
  it('begin with their first minute and end before their last', () => {
    expect(active({}, '2026-11-23T08:59:59Z')).toBe(false);
    expect(active({}, '2026-11-23T09:00:00Z')).toBe(true);
    expect(active({}, '2026-11-23T17:59:59Z')).toBe(true);
    expect(active({}, '2026-11-23T18:00:00Z')).toBe(false);
  });

  it('go by the clock of their place', () => {
    expect(active({ time_zone: 'Asia/Kolkata' }, '2026-11-23T03:30:00Z')).toBe(true);
    expect(active({ time_zone: 'Asia/Kolkata' }, '2026-11-23T03:29:00Z')).toBe(false);
    // Monday there, Sunday in UTC.
    expect(active({ time_zone: 'Pacific/Auckland', days: [1] }, '2026-11-22T20:00:00Z')).toBe(true);
    expect(active({ time_zone: 'Pacific/Auckland', days: [7] }, '2026-11-22T20:00:00Z')).toBe(false);
  });

  it('may cross midnight, and then belong to the day on which they began', () => {
    const night = { days: [5], from: '22:00', to: '06:00' };
    expect(active(night, '2026-11-27T21:59:00Z')).toBe(false);
    expect(active(night, '2026-11-27T22:00:00Z')).toBe(true);
    expect(active(night, '2026-11-28T05:59:00Z')).toBe(true);
    expect(active(night, '2026-11-28T06:00:00Z')).toBe(false);
    expect(active(night, '2026-11-28T22:00:00Z')).toBe(false);
    expect(active(night, '2026-11-27T05:00:00Z')).toBe(false);
    expect(active({ days: [7], from: '22:00', to: '06:00' }, '2026-11-30T01:00:00Z')).toBe(true);
  });

  it('may last to the end of the day, or for a whole day', () => {
    expect(active({ from: '18:00', to: '24:00' }, '2026-11-23T23:59:00Z')).toBe(true);
    expect(active({ from: '18:00', to: '24:00' }, '2026-11-24T00:00:00Z')).toBe(false);
    const whole = { days: [1], from: '00:00', to: '24:00' };
    expect(active(whole, '2026-11-23T00:00:00Z')).toBe(true);
    expect(active(whole, '2026-11-24T00:00:00Z')).toBe(false);
    const aroundTheClock = { days: [1], from: '09:00', to: '09:00' };
    expect(active(aroundTheClock, '2026-11-24T08:59:00Z')).toBe(true);
    expect(active(aroundTheClock, '2026-11-24T09:00:00Z')).toBe(false);
  });

  it('follow daylight saving time', () => {
    const berlin = { time_zone: 'Europe/Berlin', from: '02:30', to: '03:30' };
    // Clocks go from 02:00 to 03:00: the first half hour does not exist.
    expect(active(berlin, '2026-03-29T00:59:00Z')).toBe(false);
    expect(active(berlin, '2026-03-29T01:00:00Z')).toBe(true);
    expect(active(berlin, '2026-03-29T01:30:00Z')).toBe(false);
    // Clocks go from 03:00 to 02:00: 02:30 to 03:00 is there twice.
    expect(active(berlin, '2026-10-25T00:45:00Z')).toBe(true);
    expect(active(berlin, '2026-10-25T01:15:00Z')).toBe(false);
    expect(active(berlin, '2026-10-25T01:45:00Z')).toBe(true);
    // Nine in the morning is nine in the morning, in winter and summer.
    const day = { time_zone: 'America/New_York' };
    expect(active(day, '2026-01-05T14:00:00Z')).toBe(true);
    expect(active(day, '2026-07-06T13:00:00Z')).toBe(true);
    expect(active(day, '2026-01-05T13:00:00Z')).toBe(false);
  });

  it('and the hours between them make up all time, everywhere', () => {
    const minute = fc.integer({ min: 0, max: 1439 }).map((n) => {
      const two = (value: number) => String(value).padStart(2, '0');
      return `${two(Math.floor(n / 60))}:${two(n % 60)}`;
    });
    const zone = fc.constantFrom(
      'UTC',
      'Asia/Kolkata',
      'Europe/Berlin',
      'America/St_Johns',
      'Australia/Lord_Howe',
    );
    const at = fc.date({ min: new Date('2020-01-01'), max: new Date('2030-01-01'), noInvalidDate: true });
    fc.assert(
      fc.property(minute, minute, zone, at, (from, to, time_zone, when) => {
        fc.pre(from !== to);
        const inside = isActive(hours({ time_zone, from, to }), when);
        const outside = isActive(hours({ time_zone, from: to, to: from }), when);
        expect(inside).toBe(!outside);
      }),
    );
  });
});

describe('time zones', () => {
  it('tell the date', () => {
    const at = new Date('2026-12-31T20:00:00Z');
    expect(localDate('UTC', at)).toBe('2026-12-31');
    expect(localDate('Asia/Kolkata', at)).toBe('2027-01-01');
  });
});
