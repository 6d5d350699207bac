import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { makeSealer } from '../../../app/lib/sealer.ts';

const key = (fill: number): Buffer => Buffer.alloc(32, fill);
const PLAIN = Buffer.from('Zebulon Quackenbush');

describe('a sealer', () => {
  it('opens what it sealed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.uint8Array({ maxLength: 500 }), (secret, plain) => {
        const sealer = makeSealer(secret);
        expect(Buffer.from(sealer.open(sealer.seal(plain))).equals(plain)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('never gives the same twice, and shows nothing of the content', () => {
    const sealer = makeSealer(key(1));
    const sealed = Array.from({ length: 100 }, () => Buffer.from(sealer.seal(PLAIN)));
    expect(new Set(sealed.map((each) => each.toString('hex'))).size).toBe(100);
    expect(sealed.some((each) => each.includes('Zebulon'))).toBe(false);
  });

  it('notices a change of any byte', () => {
    const sealer = makeSealer(key(1));
    const sealed = sealer.seal(PLAIN);
    for (let place = 0; place < sealed.length; place++) {
      const changed = Uint8Array.from(sealed);
      changed[place] = (changed[place] ?? 0) ^ 1;
      expect(() => sealer.open(changed)).toThrow();
    }
    expect(() => sealer.open(sealed.subarray(0, -1))).toThrow();
    expect(() => sealer.open(Buffer.of())).toThrow('found 0 bytes');
  });

  it('opens with every key and seals with the first', () => {
    const [old, rotated, fresh] = [makeSealer(key(1)), makeSealer(key(2), key(1)), makeSealer(key(2))];
    expect(rotated.open(old.seal(PLAIN))).toEqual(PLAIN);
    expect(fresh.open(rotated.seal(PLAIN))).toEqual(PLAIN);
    expect(() => old.open(rotated.seal(PLAIN))).toThrow('a key that is not configured');
  });

  it('wants keys of 32 bytes', () => {
    expect(() => makeSealer()).toThrow(RangeError);
    expect(() => makeSealer(key(1), Buffer.alloc(16))).toThrow('found a key of 16 bytes, expected 32');
  });
});
