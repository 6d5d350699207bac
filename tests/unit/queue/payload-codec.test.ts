import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { makeSealer } from '../../../app/lib/sealer.ts';
import { makePayloadCodec } from '../../../app/queue/payload-codec.ts';

const key = (fill: number): Buffer => Buffer.alloc(32, fill);
const codecs = { plain: makePayloadCodec(undefined), sealed: makePayloadCodec(makeSealer(key(1))) };
const SECRET = Buffer.from('Zebulon Quackenbush, born on the fourth of July');

describe.each(Object.entries(codecs))('records, %s', (_name, codec) => {
  it('come back with every byte', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2_000 }), fc.nat(), async (body, receivedAtMs) => {
        const json = JSON.stringify(await codec.encodeJob({ body, receivedAtMs }));
        const job = codec.decodeJob('id', json);
        expect(job).toMatchObject({ id: 'id', receivedAtMs });
        expect(Buffer.from(job.body).equals(body)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('hold only what both stores can keep as text', async () => {
    const json = JSON.stringify(await codec.encodeJob({ body: Buffer.from('\0\ud800\u2028é'), receivedAtMs: 1 }));
    expect(json).toMatch(/^[\x20-\x7e]+$/);
  });

  it('of quarantined events come back whole', async () => {
    const entry = { key: 'k', code: 'ROW_INVALID', reason: 'found text', quarantinedAtMs: 5, event: Buffer.from('{"a":"\0"}') };
    expect(codec.decodeEntry(await codec.encodeEntry(entry))).toEqual(entry);
  });

  it.each([
    ['no JSON', 'Zebulon'],
    ['no record', 'null'],
    ['a newer version', '{"v":2,"receivedAtMs":1,"body":"AQ=="}'],
    ['an unknown form', '{"v":1,"receivedAtMs":1,"body":"CQ=="}'],
    ['no body', '{"v":1,"receivedAtMs":1,"body":""}'],
    ['a body cut short', '{"v":1,"receivedAtMs":1,"body":"AcvK"}'],
    ['a sealed body cut short', '{"v":1,"receivedAtMs":1,"body":"AgAA"}'],
  ])('with %s are refused without a word of their content', (_what, json) => {
    expect(() => codec.decodeJob('id', json)).toThrow(
      expect.objectContaining({ code: 'QUEUE_UNREADABLE', message: expect.not.stringContaining('Zebulon') }),
    );
  });
});

describe('compression', () => {
  it('makes a notification several times smaller', async () => {
    const body = Buffer.from(
      JSON.stringify(
        Array.from({ length: 20 }, (_, n) => ({
          resourceType: 'Observation',
          id: `o-${n}`,
          status: 'final',
          code: { coding: [{ system: 'http://loinc.org', code: '8302-2' }] },
        })),
      ),
    );
    const { body: stored } = await codecs.plain.encodeJob({ body, receivedAtMs: 1 });
    expect(stored.length).toBeLessThan(body.length / 4);
  });

  it('of a big body is the same', async () => {
    const body = Buffer.alloc(3 << 20, 'abc');
    expect(
      Buffer.from(
        codecs.sealed.decodeJob('id', JSON.stringify(await codecs.sealed.encodeJob({ body, receivedAtMs: 1 }))).body,
      ).equals(body),
    ).toBe(true);
  });
});

describe('sealing', () => {
  it('opens with every configured key and seals with the first', async () => {
    const old = await makePayloadCodec(makeSealer(key(1))).encodeJob({ body: SECRET, receivedAtMs: 1 });
    const rotated = makePayloadCodec(makeSealer(key(2), key(1)));
    expect(rotated.decodeJob('id', JSON.stringify(old)).body).toEqual(SECRET);
    const fresh = JSON.stringify(await rotated.encodeJob({ body: SECRET, receivedAtMs: 1 }));
    expect(makePayloadCodec(makeSealer(key(2))).decodeJob('id', fresh).body).toEqual(SECRET);
    expect(() => makePayloadCodec(makeSealer(key(1))).decodeJob('id', fresh)).toThrow(
      expect.objectContaining({ code: 'QUEUE_UNREADABLE' }),
    );
    expect(() => codecs.plain.decodeJob('id', fresh)).toThrow(expect.objectContaining({ code: 'QUEUE_UNREADABLE' }));
  });
});
