import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonErrorOffset } from '../../../src/platform/http/json-error-offset.ts';

const isJson = (text: string) => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

describe('the place where JSON ends', () => {
  it.each([
    ['{"a":x}', 5],
    ['{a:1}', 1],
    ['[1,]', 3],
    ['{"a":1,}', 7],
    ['{"a" 1}', 5],
    ['{"a":1 "b":2}', 7],
    ['[1] 2', 4],
    ['[01]', 2],
    ["{'a':1}", 1],
    ['{"a":"tab\there"}', 5],
    ['[}', 1],
    ['', 0],
    ['{"a":', 5],
    ['"open', 0],
  ])('of %s is %i', (text, offset) => {
    expect(jsonErrorOffset(text)).toBe(offset);
  });

  it('is the end of every valid text', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom('', ' ', '\n\t'), (json, space) => {
        const text = `${space}${json}${space}`;
        expect(jsonErrorOffset(text)).toBe(text.length);
      }),
    );
  });

  it('lies in or at the end of every broken text, and what stands before it is not at fault', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(), fc.string({ maxLength: 3 }), (json, at, junk) => {
        const cut = at % (json.length + 1);
        const text = `${json.slice(0, cut)}${junk}${json.slice(cut + 1)}`;
        const offset = jsonErrorOffset(text);
        // A bare scalar is complete by itself and can be broken only by what follows it.
        if (isJson(text)) expect(offset).toBe(text.length);
        else expect(offset).toBeLessThanOrEqual(text.length);
        expect(jsonErrorOffset(text.slice(0, offset))).toBe(offset);
      }),
    );
  });
});
