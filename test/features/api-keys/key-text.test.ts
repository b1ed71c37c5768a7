import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keyHint, keyMode, newKeyText } from '../../../src/features/api-keys/key-text.ts';
import { MODES } from '../../../src/lib/mode.ts';

const mode = fc.constantFrom(...MODES);
const bytes = fc
  .infiniteStream(fc.nat(255))
  .map((stream) => (size: number) => Uint8Array.from({ length: size }, () => stream.next().value ?? 0));
const key = fc.tuple(mode, bytes).map(([of, random]) => newKeyText(of, random));

describe('the text of a key', () => {
  it('has a prefix, 38 characters of base62, and its mode', () => {
    fc.assert(
      fc.property(mode, bytes, (of, random) => {
        const text = newKeyText(of, random);
        expect(text).toMatch(/^pk_(test|live)_[0-9A-Za-z]{38}$/);
        expect(keyMode(text)).toBe(of);
      }),
    );
  });

  it('is known to be wrong when one character is', () => {
    fc.assert(
      fc.property(key, fc.nat(), fc.constantFrom(...'0123456789ABCxyz_-'), (text, at, character) => {
        const i = at % text.length;
        fc.pre(text[i] !== character);
        expect(keyMode(`${text.slice(0, i)}${character}${text.slice(i + 1)}`)).toBeUndefined();
      }),
    );
  });

  it('is known to be wrong when two neighbours are swapped or the end is cut off', () => {
    fc.assert(
      fc.property(key, fc.nat(), (text, at) => {
        const i = at % (text.length - 1);
        fc.pre(text[i] !== text[i + 1]);
        const swapped = `${text.slice(0, i)}${text[i + 1]}${text[i]}${text.slice(i + 2)}`;
        expect(keyMode(swapped)).toBeUndefined();
        expect(keyMode(text.slice(0, i))).toBeUndefined();
      }),
    );
  });

  it('is never found in other text', () => {
    fc.assert(fc.property(fc.string(), (text) => keyMode(text) === undefined));
    expect(keyMode('')).toBeUndefined();
  });

  it('shows four characters of its secret in lists', () => {
    const text = newKeyText('live', randomBytes);
    expect(keyHint(text)).toBe(text.slice(0, 'pk_live_'.length + 4));
  });

  it('uses every character about as often', () => {
    const counts = new Map<string, number>();
    for (let i = 0; i < 2_000; i++) {
      for (const character of newKeyText('test', randomBytes).slice(8, 40)) {
        counts.set(character, (counts.get(character) ?? 0) + 1);
      }
    }
    const expected = (2_000 * 32) / 62;
    expect(counts.size).toBe(62);
    for (const count of counts.values()) expect(Math.abs(count - expected)).toBeLessThan(expected * 0.25);
  });
});
