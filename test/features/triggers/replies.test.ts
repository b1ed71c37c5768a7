import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAnswer } from '../../../src/features/triggers/ask-reply.ts';
import { newCode } from '../../../src/features/triggers/new-code.ts';
import {
  renderReply,
  unknownVariables,
  usesVariable,
  VARIABLES,
} from '../../../src/features/triggers/render-reply.ts';

const VALUES = { phone: '919876543210', name: 'Asha', message: 'login', date: '2026-11-21', code: '004217' };

describe('a reply', () => {
  it('has values in the place of variables', () => {
    const template = 'Hi {{name}} ({{ phone }}), {{date}}: {{code}} for “{{message}}”';
    expect(renderReply(template, VALUES)).toBe('Hi Asha (919876543210), 2026-11-21: 004217 for “login”');
  });

  it('does not look into values', () => {
    const values = { ...VALUES, name: '{{code}}', message: '$& $1 {{phone}}' };
    expect(renderReply('{{name}} {{message}}', values)).toBe('{{code}} $& $1 {{phone}}');
  });

  it('leaves braces alone that are no variable', () => {
    for (const text of ['{name}', '{{', '}} {{', '{{{a}', 'a { b }']) {
      expect(unknownVariables(text)).toEqual([]);
      expect(renderReply(text, VALUES)).toBe(text);
    }
  });

  it('names each variable that does not exist, once', () => {
    expect(unknownVariables('{{phone}} {{Phone}} {{ foo }} {{foo}} {{}}')).toEqual(['Phone', 'foo', '']);
    expect(usesVariable('x {{ code }}', 'code')).toBe(true);
    expect(usesVariable('x {code}', 'code')).toBe(false);
  });

  it('is cut at 4,096 characters, between them', () => {
    expect(renderReply('{{message}}', { ...VALUES, message: 'x'.repeat(5_000) })).toHaveLength(4_096);
    const cut = renderReply('a{{message}}', { ...VALUES, message: '😀'.repeat(3_000) });
    expect(cut).toHaveLength(4_095);
    // It throws for half a pair.
    expect(() => encodeURIComponent(cut)).not.toThrow();
    const many = renderReply('{{message}}'.repeat(300), { ...VALUES, message: `x${'😀'.repeat(30_000)}` });
    expect(many).toHaveLength(4_096);
    expect(() => encodeURIComponent(many)).not.toThrow();
  });

  it('is made of its parts, for any texts', () => {
    const text = fc.string({ maxLength: 50 }).map((part) => part.replaceAll(/[{}]/g, ''));
    const part = fc.record({ text, variable: fc.constantFrom(...VARIABLES) });
    fc.assert(
      fc.property(fc.array(part, { maxLength: 10 }), text, (parts, name) => {
        const values = { ...VALUES, name };
        const template = parts.map((one) => `${one.text}{{${one.variable}}}`).join('');
        expect(unknownVariables(template)).toEqual([]);
        expect(renderReply(template, values)).toBe(
          parts.map((one) => one.text + values[one.variable]).join(''),
        );
      }),
    );
  });
});

describe('a one-time code', () => {
  it('has six digits, all of them possible', () => {
    const bytes = (value: number) => () => Uint8Array.of(value >> 16, (value >> 8) & 255, value & 255);
    expect(newCode(bytes(0))).toBe('000000');
    expect(newCode(bytes(999_999))).toBe('999999');
    expect(newCode(bytes(15_999_999))).toBe('999999');
  });

  it('throws away what would favour some codes', () => {
    const given = [Uint8Array.of(255, 255, 255), Uint8Array.of(244, 36, 0), Uint8Array.of(0, 0, 7)];
    expect(newCode(() => given.shift() ?? new Uint8Array(3))).toBe('000007');
  });

  it('is spread evenly', () => {
    const counts = Array.from({ length: 10 }, () => 0);
    for (let i = 0; i < 20_000; i++) {
      const first = Number(newCode(randomBytes)[0]);
      counts[first] = (counts[first] ?? 0) + 1;
    }
    // Ten standard deviations around 2,000.
    for (const count of counts) expect(Math.abs(count - 2_000)).toBeLessThan(425);
  });
});

describe('an answer of a reply URL', () => {
  const read = (status: number, body: string, type = 'application/json; charset=utf-8', truncated = false) =>
    readAnswer({ status, headers: { 'content-type': type }, body: Buffer.from(body), truncated });

  it.each([
    [200, '{"reply":"hello"}', undefined, { kind: 'text', text: 'hello' }],
    [201, '{"reply":"hello","more":1}', 'application/problem+json', { kind: 'text', text: 'hello' }],
    [200, 'hello', 'text/plain', { kind: 'text', text: 'hello' }],
    [200, '{"reply":null}', undefined, { kind: 'none' }],
    [200, '{"reply":" "}', undefined, { kind: 'none' }],
    [200, '{}', undefined, { kind: 'none' }],
    [200, '', 'text/html', { kind: 'none' }],
    [204, '', undefined, { kind: 'none' }],
    [200, '<p>', 'text/html', { kind: 'failed', reason: 'content type' }],
    [200, '{"reply":1}', undefined, { kind: 'failed', reason: 'invalid JSON' }],
    [200, '{"reply"', undefined, { kind: 'failed', reason: 'invalid JSON' }],
    [302, '', undefined, { kind: 'failed', reason: 'status 302' }],
    [500, '{"reply":"x"}', undefined, { kind: 'failed', reason: 'status 500' }],
    [200, 'x'.repeat(4_097), 'text/plain', { kind: 'failed', reason: 'too long' }],
  ])('%i %j %s: %j', (status, body, type, expected) => {
    expect(read(status, body, type)).toEqual(expected);
  });

  it('is no answer where it is cut off', () => {
    expect(read(200, 'x', 'text/plain', true)).toEqual({ kind: 'failed', reason: 'too long' });
  });
});
