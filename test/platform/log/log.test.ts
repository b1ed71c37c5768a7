import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLog } from '../../../src/platform/log/log.ts';

const record = (format: 'json' | 'readable' = 'json') => {
  const lines: string[] = [];
  const log = createLog({
    level: 'debug',
    format,
    fields: { role: 'worker', mode: 'test' },
    destination: { write: (line) => void lines.push(line) },
  });
  return { log, lines, last: () => JSON.parse(lines.at(-1) ?? '{}') as Record<string, unknown> };
};

describe('a log line', () => {
  it('is JSON with time, level by name, and the fields of the process', () => {
    const { log, last } = record();
    log.info({ session: 'ses_1' }, 'session opened');
    expect(last()).toMatchObject({
      level: 'info',
      role: 'worker',
      mode: 'test',
      session: 'ses_1',
      msg: 'session opened',
    });
    expect(last()['time']).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
  });

  it('is one readable line at a terminal, with an error below it', () => {
    const { log, lines } = record('readable');
    log.warn({ session: 'ses_1', err: new Error('no answer') }, 'session closed');
    expect(lines.at(-1)).toMatch(
      /^\d\d:\d\d:\d\d {2}warn {3}worker\.test {2}session closed {2}session=ses_1\n {10}Error: no answer\n/,
    );
  });

  it('keeps type, words, code and cause of an error, and drops row values of a database error', () => {
    const { log, last } = record();
    const cause = Object.assign(new Error('duplicate key'), {
      code: '23505',
      detail: 'Key (phone)=(919876543210)',
    });
    log.error({ err: new TypeError('no', { cause }) }, 'failed');
    expect(last()['err']).toMatchObject({
      type: 'TypeError',
      reason: 'no',
      cause: { type: 'Error', reason: 'duplicate key', code: '23505' },
    });
    expect(JSON.stringify(last())).not.toContain('919876543210');
    log.error(new Error('alone'));
    expect(last()).toMatchObject({ err: { type: 'Error', reason: 'alone' } });
  });
});

describe('redaction', () => {
  it.each([
    [{ headers: { Authorization: 'Bearer abc.def', 'X-API-Key': 'k1234', cookie: 'sid=abcdef' } }],
    [{ api_key: 'k1234', password: 'hunter2', masterKey: 'abcdef' }],
    [{ request: { body: { to: '1', text: { body: 'hunter2' } } } }],
    [{ messages: [{ message: 'hunter2', caption: 'abcdef' }] }],
    [{ url: 'postgresql://app:hunter2@db.example/pingr' }],
    [{ note: 'key pk_live_k1234 and whsec_abcdef and Bearer hunter2' }],
    [{ err: new Error('connect postgresql://app:hunter2@db failed', { cause: new Error('pk_test_k1234') }) }],
  ])('removes secrets and message text from %j', (fields) => {
    const { log, lines } = record();
    log.info(fields, 'seen');
    log.child(fields).info('seen by a child');
    expect(lines.join('')).not.toMatch(/k1234|hunter2|abcdef|abc\.def/);
    expect(lines.join('')).toContain('[redacted]');
  });

  it('covers the message itself', () => {
    const { log, last } = record();
    log.info('used pk_live_k1234');
    expect(last()['msg']).toBe('used pk_live_[redacted]');
  });

  it('shows bytes as a length, and absent secrets as absent', () => {
    const { log, last } = record();
    log.info({ key: Buffer.from('hunter2'), token: null }, 'seen');
    expect(last()).toMatchObject({ key: '[7 bytes]', token: null });
  });

  it('lets no API key through, wherever it stands', () => {
    const key = fc.tuple(fc.constantFrom('pk_live_', 'pk_test_'), fc.stringMatching(/^[A-Za-z0-9]{8,40}$/));
    fc.assert(
      fc.property(key, fc.string(), fc.string(), ([prefix, secret], before, after) => {
        const { log, lines } = record();
        log.info(
          { deep: [{ note: `${before} ${prefix}${secret} ${after}` }] },
          `${before} ${prefix}${secret} ${after}`,
        );
        expect(lines.join('')).not.toContain(prefix + secret);
      }),
    );
  });

  it('may be one long word, and hide a password at its end', () => {
    const { log, lines } = record();
    // Were each letter tried as the beginning of an address, this would take minutes.
    log.info(`${'a'.repeat(500_000)}://app:hunter2@db`);
    expect(lines[0]).toContain(`${'a'.repeat(500_000)}://app:[redacted]@db`);
  });

  it('covers what a serializer makes of an object of a class', () => {
    const { log, last } = record();
    class Request {
      readonly url = '/v1/messages';
      readonly headers = { authorization: 'hunter2' };
    }
    log.info({ req: new Request() }, 'incoming request');
    expect(last()['req']).toEqual({ url: '/v1/messages', headers: { authorization: '[redacted]' } });
  });

  it('survives fields that contain themselves', () => {
    const { log, last } = record();
    const loop: Record<string, unknown> = {};
    loop['self'] = loop;
    log.info(loop, 'seen');
    expect(last()['msg']).toBe('seen');
  });
});
