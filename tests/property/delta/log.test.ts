import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseActions, serializeActions, withCommitInfo, type Action } from '../../../app/delta/actions.ts';
import { parseExactJson } from '../../../app/delta/exact-json.ts';
import { columnsToSchemaString, parseSchema, tableColumns } from '../../../app/delta/schema.ts';
import { compareUtf8, hasLoneSurrogate } from '../../../app/lib/utf8-order.ts';
import { tableColumnList, wellFormedText } from '../../helpers/arbitrary-table.ts';
import { aSnapshot } from '../../helpers/delta-table.ts';

const PLACE = { version: 5, path: 'x.json' };
const natural = fc.maxSafeNat();
const text = wellFormedText;
const noProto = fc.string().filter((key) => key !== '__proto__');

const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({
    add: fc.record({
      path: text,
      partitionValues: fc.dictionary(noProto, fc.option(text)),
      size: natural,
      modificationTime: natural,
      dataChange: fc.boolean(),
      stats: text,
    }),
  }),
  fc.record({ txn: fc.record({ appId: text, version: natural, lastUpdated: natural }) }),
  fc.record({ remove: fc.record({ path: text }) }),
  fc.record({
    protocol: fc.record({ minReaderVersion: fc.nat(9), minWriterVersion: fc.nat(9), readerFeatures: fc.array(text) }),
  }),
  fc.record({ domainMetadata: fc.record({ domain: text, configuration: text, removed: fc.boolean() }) }),
);
/** Large integers are refused on writing, which has a test of its own. */
const infoValue = fc.oneof(text, natural, fc.boolean(), fc.constant(null), fc.array(text), fc.dictionary(noProto, natural));
const commit = fc
  .record({ info: fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), infoValue), others: fc.array(action, { maxLength: 5 }) })
  .map(({ info, others }) => withCommitInfo(info, others));

/** What a value is after a way through JSON (minus zero becomes zero). */
const throughJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('a commit file', () => {
  it('says after parsing what was serialized', () => {
    fc.assert(
      fc.property(commit, (actions) =>
        expect(throughJson(parseActions(serializeActions(actions), PLACE))).toEqual(throughJson(actions)),
      ),
    );
  });

  it('is refused when it was cut anywhere', () => {
    fc.assert(
      fc.property(commit, fc.double({ min: 0, max: 1, noNaN: true }), (actions, where) => {
        const bytes = serializeActions(actions);
        // Without its last line feed alone it is still whole.
        const length = Math.floor(where * (bytes.length - 2));
        expect(() => parseActions(bytes.subarray(0, length), PLACE)).toThrow(
          expect.objectContaining({ code: 'DELTA_LOG_BROKEN' }),
        );
      }),
    );
  });

  it('is refused when it was cut after any line', () => {
    fc.assert(
      fc.property(commit, (actions) => {
        const bytes = serializeActions(actions);
        for (let at = bytes.indexOf(10); at !== -1 && at < bytes.length - 1; at = bytes.indexOf(10, at + 1)) {
          expect(() => parseActions(bytes.subarray(0, at + 1), PLACE)).toThrow(
            expect.objectContaining({ code: 'DELTA_LOG_BROKEN' }),
          );
        }
      }),
    );
  });
});

describe('exact JSON', () => {
  it('agrees with JSON.parse once its integers are rounded', () => {
    const round = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? Number(value) : value);
    fc.assert(
      fc.property(fc.json(), (json) => {
        const rounded: unknown = JSON.parse(JSON.stringify(parseExactJson(json), round));
        expect(rounded).toEqual(throughJson(JSON.parse(json)));
      }),
    );
  });

  it('keeps every integer, and text that looks like one', () => {
    fc.assert(
      fc.property(fc.bigInt(), (value) => {
        const parsed = parseExactJson(`{"a": [ ${value},{"b":"\\\\\\"${value}"}]}`) as { a: [number | bigint, { b: string }] };
        expect(BigInt(parsed.a[0])).toBe(value);
        expect(parsed.a[1].b).toBe(`\\"${value}`);
      }),
    );
  });
});

describe('a schema', () => {
  it('says after parsing what was written', () => {
    fc.assert(
      fc.property(tableColumnList, (columns) => {
        const { metaData } = aSnapshot();
        const schema = parseSchema({ ...metaData, schemaString: columnsToSchemaString(columns) });
        expect(tableColumns({ schema })).toEqual(columns);
      }),
    );
  });
});

describe('the order of UTF-8', () => {
  it('is the order of the bytes', () => {
    fc.assert(
      fc.property(wellFormedText, wellFormedText, (a, b) => {
        expect(Math.sign(compareUtf8(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
    );
  });

  it('is asked only of text that UTF-8 can express', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', '\ud83d', '\ude00') }), (text) =>
        expect(hasLoneSurrogate(text)).toBe(Buffer.from(text).toString() !== text),
      ),
    );
  });
});
