import { createHash, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import Stripe from 'stripe';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { newWebhookSecret, signWebhook } from '../../../src/platform/crypto/webhook-signature.ts';
import { verifyPingrSignature } from './verify-pingr-signature.ts';

const seconds = (at: number) => new Date(at * 1_000);
const secretOf = (seed: string) => newWebhookSecret(() => createHash('sha256').update(seed).digest());

/** Any body that JSON can be, an id such as ours, a time and one to three secrets. */
const webhook = fc.record({
  id: fc.stringMatching(/^evt_[0-9a-hjkmnp-tv-z]{26}$/),
  at: fc.date({ min: seconds(0), max: seconds(4_000_000_000), noInvalidDate: true }),
  body: fc.json().map((text) => `{"data":${text}}`),
  secrets: fc.array(fc.string(), { minLength: 1, maxLength: 3 }).map((seeds) => seeds.map(secretOf)),
});

afterEach(() => {
  vi.useRealTimers();
});

describe('a webhook secret', () => {
  it('is whsec_ and 32 random bytes as base64', () => {
    const bytes = randomBytes(32);
    const secret = newWebhookSecret((size) => bytes.subarray(0, size));
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(Buffer.from(secret.slice(6), 'base64')).toEqual(bytes);
  });
});

describe('a webhook signature', () => {
  it('is that of the Standard Webhooks vector', () => {
    const headers = signWebhook({
      id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      at: seconds(1614265330),
      body: '{"test": 2432232314}',
      secrets: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
    });
    expect(headers).toMatchObject({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  it('has a second form, that of Stripe', () => {
    const body = '{"id":"evt_1","object":"event"}';
    const secret = secretOf('stripe');
    const header = signWebhook({ id: 'evt_1', at: seconds(1_700_000_000), body, secrets: [secret] })[
      'x-pingr-signature'
    ];
    expect(header).toMatch(/^t=1700000000,v1=[0-9a-f]{64}$/);
    vi.setSystemTime(seconds(1_700_000_100));
    const { webhooks } = new Stripe('sk_test_x');
    expect(webhooks.constructEvent(body, header, secret)).toMatchObject({ id: 'evt_1' });
  });

  it('is accepted by the library of Standard Webhooks, under each of its secrets', () => {
    fc.assert(
      fc.property(webhook, (input) => {
        vi.setSystemTime(input.at);
        const headers = signWebhook(input);
        for (const secret of input.secrets) {
          expect(new Webhook(secret).verify(input.body, headers)).toEqual(JSON.parse(input.body));
        }
      }),
    );
  });

  it('is accepted in its second form, under each of its secrets', () => {
    fc.assert(
      fc.property(webhook, (input) => {
        const header = signWebhook(input)['x-pingr-signature'];
        const now = input.at.getTime() / 1_000;
        for (const secret of input.secrets) {
          expect(verifyPingrSignature(input.body, header, secret, now)).toBe(true);
        }
      }),
    );
  });

  it('is refused in both forms after any change, under another secret, and when it is old', () => {
    const place = fc.nat();
    fc.assert(
      fc.property(webhook, fc.string(), place, fc.integer({ min: 1, max: 127 }), (input, seed, at, flip) => {
        const secret = input.secrets[0] ?? '';
        const headers = signWebhook({ ...input, secrets: [secret] });
        const now = input.at.getTime() / 1_000;
        const refused = (body: string, by: string, later = 0) => {
          vi.setSystemTime(seconds(now + later));
          const standard = () => new Webhook(by).verify(body, headers);
          expect(standard).toThrow();
          expect(verifyPingrSignature(body, headers['x-pingr-signature'], by, now + later)).toBe(false);
        };
        const bytes = Buffer.from(input.body);
        const spot = at % bytes.length;
        bytes[spot] = (bytes[spot] ?? 0) ^ flip;
        // Bytes that are no UTF-8 are all read as one character, which could have stood there before.
        if (bytes.toString() !== input.body) refused(bytes.toString(), secret);
        const other = secretOf(seed);
        if (other !== secret) refused(input.body, other);
        refused(input.body, secret, 302);
      }),
    );
  });

  it('binds the id', () => {
    const input = { at: new Date(), body: '{}', secrets: [secretOf('a')] };
    const [one, two] = [signWebhook({ id: 'evt_1', ...input }), signWebhook({ id: 'evt_2', ...input })];
    expect(one['webhook-signature']).not.toBe(two['webhook-signature']);
  });

  it('is made for nothing ambiguous and under nothing weak', () => {
    const input = { id: 'evt_1', at: new Date(), body: '{}', secrets: [secretOf('a')] };
    expect(() => signWebhook({ ...input, id: 'evt.1' })).toThrow('dot');
    expect(() => signWebhook({ ...input, secrets: [] })).toThrow('needs a secret');
    for (const secret of ['', 'whsec_', 'whsec_c2hvcnQ=', 'secret', secretOf('a').slice(6)]) {
      expect(() => signWebhook({ ...input, secrets: [secret] })).toThrow('no webhook secret');
    }
  });
});
