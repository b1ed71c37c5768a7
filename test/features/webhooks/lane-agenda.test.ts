import { describe, expect, it } from 'vitest';
import { LaneAgenda } from '../../../src/features/webhooks/lane-agenda.ts';

const HOUR = 3_600_000;

describe('a lane whose receiver rests', () => {
  it('looks again at once where there was no room for all samples, and then not until the rest is over', () => {
    const agenda = new LaneAgenda();
    agenda.insist();
    agenda.looking(0);
    agenda.looked({ taken: 1, room: 1, nextMs: -5, restMs: HOUR }, 0);
    expect(agenda.next).toBeLessThanOrEqual(0);
    agenda.looking(1);
    agenda.looked({ taken: 0, room: 1, nextMs: -5, restMs: HOUR }, 1);
    expect(agenda.next).toBe(HOUR + 1);
  });

  it('looks again where somebody asked for it during the look', () => {
    const agenda = new LaneAgenda();
    agenda.looking(0);
    agenda.insist();
    agenda.looked({ taken: 0, room: 5, nextMs: null, restMs: HOUR }, 0);
    expect(agenda.next).toBeLessThanOrEqual(0);
  });
});
