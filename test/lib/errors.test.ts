import { describe, expect, it } from 'vitest';
import { declaredErrors, defineErrors, PingrError } from '../../src/lib/errors.ts';

const errors = defineErrors({
  broken: { code: 'test.broken', status: 418, title: 'It broke', remedy: 'Mend it.' },
});

describe('declared errors', () => {
  it('are made by their factory, with what is said of this occurrence', () => {
    const cause = new Error('why');
    const error = errors.broken({ detail: 'The handle came off.', retryAfter: 3, cause });
    expect(error).toBeInstanceOf(PingrError);
    expect(error).toMatchObject({
      code: 'test.broken',
      message: 'The handle came off.',
      retryAfter: 3,
      fields: [],
      cause,
      definition: { status: 418, remedy: 'Mend it.' },
    });
    expect(errors.broken().message).toBe('It broke');
  });

  it('are listed by code', () => {
    expect(declaredErrors()).toContain(errors.broken.definition);
    const codes = declaredErrors().map(({ code }) => code);
    expect(codes).toEqual([...codes].sort((a, b) => a.localeCompare(b)));
  });

  it('cannot claim a code twice', () => {
    expect(() => defineErrors({ again: errors.broken.definition })).toThrow('test.broken is declared twice');
  });
});
