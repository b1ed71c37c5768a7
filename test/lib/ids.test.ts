import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromId, ID_PREFIXES, type IdKind, newUuid, timeOfUuid, toId, uuidFloor } from '../../src/lib/ids.ts';
import { uuidTime } from '../support/uuid-time.ts';

const uuid = fc.uuid();
const kinds = Object.keys(ID_PREFIXES) as IdKind[];

describe('public ids', () => {
  it('carry the UUID there and back', () => {
    fc.assert(
      fc.property(uuid, fc.constantFrom(...kinds), (id, kind) => {
        expect(fromId(kind, toId(kind, id))).toBe(id);
      }),
    );
  });

  it('are the prefix and 26 characters of Crockford base32', () => {
    expect(toId('message', '01890a5d-ac96-774b-bcce-b302099a8057')).toBe('msg_01h455vb4pex5vsknk084sn02q');
    fc.assert(
      fc.property(uuid, (id) => {
        expect(toId('session', id)).toMatch(/^ses_[0-7][0-9a-hjkmnp-tv-z]{25}$/);
      }),
    );
  });

  it('sort as their UUIDs do', () => {
    fc.assert(
      fc.property(uuid, uuid, (a, b) => {
        expect(toId('event', a) < toId('event', b)).toBe(a < b);
      }),
    );
  });

  it('are read in either case', () => {
    const id = newUuid();
    expect(fromId('message', toId('message', id).toUpperCase())).toBe(id);
  });

  it.each([
    ['another kind', toId('session', newUuid())],
    ['no prefix', toId('message', newUuid()).slice(4)],
    ['a UUID', newUuid()],
    ['too short', toId('message', newUuid()).slice(0, -1)],
    ['too long', `${toId('message', newUuid())}0`],
    ['a letter that Crockford leaves out', `msg_${'0'.repeat(25)}u`],
    ['more than 128 bits', `msg_8${'0'.repeat(25)}`],
    ['a line break at the end', `${toId('message', newUuid())}\n`],
    ['nothing', ''],
  ])('are not: %s', (_, text) => {
    expect(fromId('message', text)).toBeUndefined();
  });

  it('never throw on any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(fromId('message', `msg_${text}`)).toSatisfy(
          (id) => id === undefined || typeof id === 'string',
        );
      }),
    );
  });
});

describe('new UUIDs', () => {
  it('grow within a process and tell when they were made', () => {
    const before = Date.now();
    const made = Array.from({ length: 1_000 }, newUuid);
    expect(made).toEqual([...made].sort());
    expect(new Set(made).size).toBe(1_000);
    expect(uuidTime(made[0] ?? '')).toBeGreaterThanOrEqual(before);
    expect(uuidTime(made[999] ?? '')).toBeLessThanOrEqual(Date.now() + 1);
  });

  it('are not below the floor of their instant, and below that of the next', () => {
    const made = newUuid();
    const at = timeOfUuid(made);
    expect(Math.abs(at.getTime() - Date.now())).toBeLessThan(60_000);
    expect(uuidFloor(at) <= made).toBe(true);
    expect(made < uuidFloor(new Date(at.getTime() + 1))).toBe(true);
    expect(timeOfUuid(uuidFloor(at))).toEqual(at);
    expect(uuidFloor(new Date(-1))).toBe(uuidFloor(new Date(0)));
  });
});
