import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { describeWith } from '../helpers/services/availability.ts';
import { asMultiset, type DeltaRow } from '../helpers/services/delta-reader.ts';
import { findDeltaRs } from '../helpers/services/delta-rs.ts';
import type { DatabricksLab } from '../lab/databricks/lab.ts';
import { insert, mintScoped, startLab, TABLE } from '../unit/lab/databricks/client.ts';

/** What is inserted over REST in the encodings of section 2.5 is what delta-rs then reads. */

describeWith(await findDeltaRs(), 'rows from Zerobus', (reader) => {
  let lab: DatabricksLab;
  beforeAll(async () => {
    lab = await startLab(
      [
        ['id', 'STRING NOT NULL'],
        ['flag', 'BOOLEAN'],
        ['tiny', 'TINYINT'],
        ['small', 'SMALLINT'],
        ['count', 'INT'],
        ['big', 'BIGINT'],
        ['ratio', 'FLOAT'],
        ['score', 'DOUBLE'],
        ['amount', 'DECIMAL(38,10)'],
        ['born', 'DATE'],
        ['seen', 'TIMESTAMP'],
        ['local', 'TIMESTAMP_NTZ'],
        ['raw', 'BINARY'],
        ['given', 'ARRAY<STRING>'],
        ['coding', 'ARRAY<STRUCT<system: STRING, code: STRING>>'],
      ],
      {},
      { sink: 'delta' },
    );
  });
  afterAll(() => lab.close());

  const readRows = async (): Promise<DeltaRow[]> => {
    await lab.writeAheadLog.settle();
    expect(lab.writeAheadLog.stuck).toEqual([]);
    return reader.readDeltaRows({ tablePath: lab.registry.table(TABLE).delta?.directory as string });
  };
  const empty = {
    flag: null,
    tiny: null,
    small: null,
    count: null,
    big: null,
    ratio: null,
    score: null,
    amount: null,
    born: null,
  };
  const nothing = { ...empty, seen: null, local: null, raw: null, given: null, coding: null };

  it('each type, extreme values, what was left out, duplicates; then a column that was added', async () => {
    const full =
      '{"id":"Zoë 😀 \\u0000","flag":false,"tiny":-128,"small":32767,"count":-2147483648,"big":9223372036854775807,"ratio":0.5,"score":1e-7,' +
      '"amount":"-9999999999999999999999999999.9999999999","born":-1,"seen":-1,"local":1727600000123456,"raw":"AP+A","given":[],' +
      '"coding":[{"system":"s","code":"c"},{}]}';
    const token = await mintScoped(lab);
    expect((await insert(lab, token, `[${full},{"id":"b"}]`)).status).toBe(200);
    expect((await insert(lab, token, '[{"id":"b"}]')).status).toBe(200);
    const shown = {
      id: 'Zoë 😀 \0',
      ...{ flag: false, tiny: -128, small: 32767, count: -2147483648, big: '9223372036854775807', ratio: 0.5, score: 1e-7 },
      amount: '-9999999999999999999999999999.9999999999',
      born: '1969-12-31',
      seen: '1969-12-31T23:59:59.999999Z',
      local: '2024-09-29T08:53:20.123456',
      raw: 'AP+A',
      given: [],
      coding: [
        { system: 's', code: 'c' },
        { system: null, code: null },
      ],
    };
    const before = [shown, { id: 'b', ...nothing }, { id: 'b', ...nothing }];
    expect(asMultiset(await readRows())).toEqual(asMultiset(before));

    await lab.registry.addColumns(TABLE, [['city', 'STRING']]);
    expect((await insert(lab, await mintScoped(lab), '[{"id":"c","city":"Ulm"}]')).status).toBe(200);
    expect(asMultiset(await readRows())).toEqual(asMultiset([...before, { id: 'c', ...nothing, city: 'Ulm' }]));
  });

  it('many requests at once: nothing is lost, nothing is doubled', async () => {
    const token = await mintScoped(lab);
    const ids = Array.from({ length: 60 }, (_, at) => Array.from({ length: 50 }, (_, row) => `m-${at}-${row}`));
    const answers = await Promise.all(
      ids.map((batch) =>
        insert(
          lab,
          token,
          batch.map((id) => ({ id })),
        ),
      ),
    );
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([200]));
    const found = (await readRows()).map((row) => row['id'] as string).filter((id) => id.startsWith('m-'));
    expect(found.sort()).toEqual(ids.flat().sort());
  });
});
