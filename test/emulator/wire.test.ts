import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifySignature } from 'whatsapp-rust-bridge';
import {
  agree,
  deriveKeyPair,
  generateKeyPair,
  keyPairOf,
  sign,
  verify,
  withType,
} from '../../src/emulator/crypto/curve.ts';
import { openKeyBundle, unwrapWithCode, wrapWithCode } from '../../src/emulator/crypto/pairing-code.ts';
import { PreKeyPool } from '../../src/emulator/network/pre-key-pool.ts';
import { FrameReader, frame, INTRO } from '../../src/emulator/wire/frames.ts';
import { formatJid, parseJid } from '../../src/emulator/wire/jid.ts';
import { decodeNode, element, encodeNode, numberOf, textOf } from '../../src/emulator/wire/node.ts';
import { NoiseTransport } from '../../src/emulator/wire/noise-transport.ts';

/** Cuts bytes at the given places. */
function cut(bytes: Buffer, places: number[]): Buffer[] {
  const sorted = [
    0,
    ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b),
    bytes.length,
  ];
  return sorted.slice(1).map((end, at) => bytes.subarray(sorted[at], end));
}

describe('frames', () => {
  it('come out whole however the stream is cut, with and without an edge-routing header', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 400 })),
        fc.array(fc.nat()),
        fc.option(fc.uint8Array({ maxLength: 50 }), { nil: undefined }),
        (payloads, places, routing) => {
          const header =
            routing && Buffer.concat([Buffer.from('ED\0\x01'), Buffer.of(0, 0, routing.length), routing]);
          const stream = Buffer.concat([...(header ? [header] : []), INTRO, ...payloads.map(frame)]);
          const reader = new FrameReader();
          const read = cut(stream, places).flatMap((piece) => reader.read(piece));
          expect(read.map((one) => one.toString('hex'))).toEqual(
            payloads.map((one) => Buffer.from(one).toString('hex')),
          );
        },
      ),
    );
  });

  it('are refused when the stream is not WhatsApp’s', () => {
    expect(() => new FrameReader().read(Buffer.from('GET / HTTP/1.1'))).toThrow();
  });
});

describe('nodes', () => {
  const text = fc.oneof(
    fc.stringMatching(/^[a-zA-Z0-9]([a-zA-Z0-9 .-]{0,28}[a-zA-Z0-9])?$/),
    fc.stringMatching(/^\d{5,15}(:[1-9]\d?)?@(s\.whatsapp\.net|lid)$/),
  );

  it('survive encoding and decoding', () => {
    const leaf = fc
      .record({
        tag: fc.stringMatching(/^[a-z-]{1,20}$/),
        attrs: fc.dictionary(fc.stringMatching(/^[a-z_]{1,10}$/), text),
        bytes: fc.uint8Array({ minLength: 1, maxLength: 3000 }),
      })
      .map(({ tag, attrs, bytes }) => element(tag, attrs, Buffer.from(bytes)));
    fc.assert(
      fc.property(fc.array(leaf, { minLength: 1, maxLength: 5 }), (children) => {
        const node = element('message', { id: '3EB0', to: '919812345678@s.whatsapp.net' }, children);
        expect(JSON.stringify(decodeNode(Buffer.from(encodeNode(node))))).toBe(JSON.stringify(node));
      }),
    );
  });

  it('leave out attributes that would not survive', () => {
    expect(element('a', { one: undefined, two: '', three: 0 })).toEqual({ tag: 'a', attrs: { three: '0' } });
  });

  it('give their content as text and number however it was packed', () => {
    expect(textOf({ tag: 'a', attrs: {}, content: 'plain' })).toBe('plain');
    expect(textOf({ tag: 'a', attrs: {}, content: Buffer.from('bytes') })).toBe('bytes');
    expect(numberOf({ tag: 'a', attrs: {}, content: Buffer.of(1, 0, 2) })).toBe(0x010002);
  });
});

describe('addresses', () => {
  it('are read as they are written', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 10_000n, max: 10n ** 15n }), fc.nat(255), (user, device) => {
        const jid = formatJid(String(user), 'lid', device);
        expect(parseJid(jid)).toEqual({ user: String(user), server: 'lid', device });
      }),
    );
    expect(parseJid('@s.whatsapp.net')).toBeUndefined();
    expect(parseJid(undefined)).toBeUndefined();
  });
});

describe('the curve', () => {
  it('signs so that the bridge agrees, and refuses any change', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.nat(), (message, place) => {
        const { publicKey, privateKey } = generateKeyPair();
        const signature = sign(privateKey, message);
        expect(verifySignature(withType(publicKey), message, signature)).toBe(true);
        const changed = Uint8Array.from(message);
        const at = place % changed.length;
        changed[at] = (changed[at] ?? 0) ^ 1;
        expect(verify(publicKey, changed, signature)).toBe(false);
      }),
      { numRuns: 20 },
    );
  });

  it('derives whole key pairs', () => {
    const pair = deriveKeyPair(Buffer.from('seed'), 'label');
    expect(deriveKeyPair(Buffer.from('seed'), 'label')).toEqual(pair);
    expect(deriveKeyPair(Buffer.from('seed'), 'other')).not.toEqual(pair);
    const other = generateKeyPair();
    expect(agree(pair.privateKey, other.publicKey)).toEqual(agree(other.privateKey, pair.publicKey));
    expect(keyPairOf(other.privateKey).publicKey).toEqual(other.publicKey);
  });
});

describe('the transport', () => {
  it('opens what the other end sealed, in order only', () => {
    const [a, b] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    const [here, there] = [new NoiseTransport(a, b), new NoiseTransport(b, a)];
    const [first, second] = [here.seal(Buffer.from('one')), here.seal(Buffer.from('two'))];
    expect(there.open(first).toString()).toBe('one');
    expect(there.open(second).toString()).toBe('two');
    expect(() => there.open(second)).toThrow();
  });
});

describe('pairing codes', () => {
  it('open what they sealed, and nothing else', async () => {
    const key = generateKeyPair().publicKey;
    const wrapped = await wrapWithCode('ABCD1234', key);
    expect(await unwrapWithCode('ABCD1234', wrapped)).toEqual(key);
    expect(await unwrapWithCode('ABCD1235', wrapped)).not.toEqual(key);
    const pair = generateKeyPair();
    const keys = {
      phoneIdentity: pair,
      phoneEphemeral: pair,
      companionEphemeral: key,
      companionIdentity: key,
    };
    expect(openKeyBundle(Buffer.alloc(160), keys)).toBeUndefined();
    expect(openKeyBundle(Buffer.alloc(3), keys)).toBeUndefined();
  });
});

describe('one-time keys', () => {
  it('are given out once each, in order, over uploads and restarts', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(5), fc.nat(5))), (rounds) => {
        let pool = new PreKeyPool();
        let next = 1;
        const given: number[] = [];
        for (const [uploads, takes] of rounds) {
          const publicKey = Buffer.alloc(32, 9);
          if (uploads > 0) pool.add(Array.from({ length: uploads }, () => ({ id: next++, publicKey })));
          for (let take = 0; take < takes; take++) given.push(...[pool.take()?.id ?? []].flat());
          const restored = new PreKeyPool(pool.taken);
          restored.restore(Buffer.from(pool.serialize()));
          pool = restored;
        }
        expect(given).toEqual(given.map((_, at) => at + 1));
        expect(pool.size).toBe(next - 1 - given.length);
      }),
    );
  });
});
