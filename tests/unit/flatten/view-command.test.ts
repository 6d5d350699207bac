import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from '@jest/globals';
import { parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';

const PROGRAM = fileURLToPath(new URL('../../../app/cli/view.ts', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'view-command-'));
afterAll(() => rmSync(directory, { recursive: true }));

const VIEW = {
  resourceType: 'ViewDefinition',
  name: 'patients',
  resource: 'Patient',
  select: [
    {
      column: [
        { name: 'id', path: 'id' },
        { name: 'birth_date', path: 'birthDate' },
        { name: 'given', path: 'name.given', collection: true },
        { name: 'weight', path: "extension('w').value.ofType(decimal)" },
      ],
    },
  ],
};

function file(name: string, content: string | Buffer): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

const viewFile = file('view.json', JSON.stringify(VIEW, undefined, 2));
const patient = (id: string, more: object = {}): string => JSON.stringify({ resourceType: 'Patient', id, ...more });
const FEW = [
  patient('a', { birthDate: '1990-05', name: [{ given: ['Ann, "A"', 'B'] }] }),
  '',
  '{"resourceType":"Encounter","id":"e"}',
  '{"resourceType":"Patient","id":"b","extension":[{"url":"w","valueDecimal":1.50}]}',
].join('\n');
const fewFile = file('few.ndjson', FEW);

async function view(args: readonly string[], input?: string): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', PROGRAM, ...args], { stdio: 'pipe' });
  const output = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.err += text));
  child.stdin.end(input ?? '');
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...output };
}

describe('view check', () => {
  it('names every problem with its place in the file, and ends with 1', async () => {
    const broken = file(
      'broken.json',
      '{"name": "x", "resource": "Patient",\n "select": [{"column": [{"name": "a",\n  "path": "nam"}]}],\n "wher": []}',
    );
    const { code, out } = await view(['check', broken]);
    expect(code).toBe(1);
    expect(out).toContain('broken.json:3:11 select[0].column[0].path: Patient has no element "nam" (line 1, column 1)');
  });

  it('says where a file is not JSON', async () => {
    const { code, err } = await view(['check', file('no.json', '{\n "name": }')]);
    expect([code, err]).toEqual([1, '2:10 the file is not JSON: expected a value\n']);
  });

  it('tells which expressions are not compiled, and what keeps the view from a destination', async () => {
    const slow = { ...VIEW, select: [{ column: [{ name: 'a', path: 'name.given.distinct().first()' }] }] };
    const { code, out } = await view(['check', file('slow.json', JSON.stringify(slow))]);
    expect(code).toBe(0);
    expect(out).toContain('is not compiled: ');
    expect(out).toContain('note: not for a destination: the view has no column "id"');
  });
});

describe('--fhir-version', () => {
  const r5 = {
    resourceType: 'ViewDefinition',
    name: 'requests',
    resource: 'MedicationRequest',
    select: [
      {
        column: [
          { name: 'id', path: 'id' },
          { name: 'code', path: 'medication.concept.coding.first().code' },
        ],
      },
    ],
  };
  const r5File = file('r5.json', JSON.stringify(r5));
  const resource = { resourceType: 'MedicationRequest', id: 'm', medication: { concept: { coding: [{ code: 'c' }] } } };
  const dataFile = file('r5.ndjson', JSON.stringify(resource));

  it('chooses the release for a view that names none', async () => {
    expect((await view(['check', r5File])).code).toBe(1);
    expect((await view(['check', r5File, '--fhir-version', 'R5'])).code).toBe(0);
    const { out } = await view(['run', r5File, dataFile, '--out', 'csv', '--threads', '2', '--fhir-version', 'R5']);
    expect(out).toBe('id,code\r\nm,c\r\n');
  });

  it('gives way to what the view says, and is R4 or R5', async () => {
    const named = file('named.json', JSON.stringify({ ...r5, fhirVersion: ['4.0.1'] }));
    expect((await view(['check', named, '--fhir-version', 'R5'])).code).toBe(1);
    expect((await view(['check', r5File, '--fhir-version', 'R3'])).code).toBe(2);
  });
});

describe('view columns and ddl', () => {
  it('list names, types and paths', async () => {
    const { out } = await view(['columns', viewFile]);
    expect(out).toContain('birth_date\tdate\tDATE\tno\tbirthDate\n');
    expect(out).toContain('given\tstring\tARRAY<STRING>\tyes\tname.given\n');
  });

  it('make the table, with system columns and place when they are wanted', async () => {
    const { out } = await view(['ddl', viewFile, '--table', 'main.fhir.p', '--system-columns', '--location', 's3://b/p']);
    expect(out).toMatch(/^CREATE TABLE `main`\.`fhir`\.`p` \(\n {2}`id` STRING,\n/);
    expect(out).toMatch(
      / {2}`is_deleted` INT,\n {2}`_event_id` STRING,[^]* {2}`_received_at` TIMESTAMP,[^]*LOCATION 's3:\/\/b\/p';\n$/,
    );
  });

  it('refuse what Zerobus cannot take, and say what to know of the rest', async () => {
    const wide = { ...VIEW, select: [{ column: Array.from({ length: 2_000 }, (_, n) => ({ name: `c${n}`, path: 'id' })) }] };
    const wideFile = file('wide.json', JSON.stringify(wide));
    const refused = await view(['ddl', wideFile, '--mode', 'managed-zerobus', '--table', 'main.fhir.p']);
    expect([refused.code, refused.out]).toEqual([1, '']);
    expect(refused.err).toContain('main.fhir.p: found 2001 columns, expected at most 2000');
    expect((await view(['ddl', wideFile, '--mode', 'managed-sql'])).code).toBe(0);
    const named = await view(['ddl', viewFile, '--table', 'main.`my-schema`.p']);
    expect([named.code, named.out]).toEqual([1, '']);
    expect(named.err).toContain('found the names "my-schema", expected ASCII letters, digits and underscores');
    const { code, out, err } = await view(['ddl', viewFile, '--mode', 'managed-zerobus', '--table', 'main.fhir.p']);
    expect(code).toBe(0);
    expect(out).not.toMatch(/DEFAULT|CHECK|TBLPROPERTIES|LOCATION|NOT NULL/);
    expect(err).toMatch(/not in default storage[^]*CHECK constraint[^]*null in a list: an event with one in given /);
    expect((await view(['ddl', viewFile, '--mode', 'managed-sql'])).err).not.toContain('Zerobus');
  });

  it('refuse words that do not fit, with 2', async () => {
    expect((await view(['ddl', viewFile, '--mode', 'managed-sql', '--location', 's3://b/p'])).code).toBe(2);
    expect((await view(['ddl', viewFile, '--threads', '2'])).code).toBe(2);
    expect((await view(['nothing'])).code).toBe(2);
  });
});

describe('view run', () => {
  it('writes CSV as RFC 4180 says, collections as JSON, decimals with their digits', async () => {
    const { code, out, err } = await view(['run', viewFile, fewFile, '--out', 'csv']);
    expect(out).toBe('id,birth_date,given,weight\r\na,1990-05,"[""Ann, \\""A\\"""",""B""]",\r\nb,,[],1.50\r\n');
    expect([code, err]).toEqual([0, '3 resources, 1 of other types, 2 rows\n']);
  });

  it('writes NDJSON from standard input, and from gzip the same', async () => {
    const expected =
      '{"id":"a","birth_date":"1990-05","given":["Ann, \\"A\\"","B"],"weight":null}\n{"id":"b","birth_date":null,"given":[],"weight":1.50}\n';
    expect((await view(['run', viewFile, '-', '--out', 'ndjson'], `\ufeff${FEW}`)).out).toBe(expected);
    expect((await view(['run', viewFile, file('few.ndjson.gz', gzipSync(FEW)), '--out', 'ndjson'])).out).toBe(expected);
  });

  it('prints a table for people when nothing else is asked for', async () => {
    expect((await view(['run', viewFile, fewFile])).out.split('\n')[0]).toBe('id  birth_date  given               weight');
  });

  it('gives the same Parquet with one thread and with three, rows in the order of the resources', async () => {
    const lines = Array.from({ length: 60_000 }, (_, index) =>
      patient(`p${index}`, { birthDate: '1990-05-06', text: { div: 'x'.repeat(600) } }),
    );
    const data = file('many.ndjson', lines.join('\n'));
    const [one, three] = [join(directory, 'one.parquet'), join(directory, 'three.parquet')];
    expect((await view(['run', viewFile, data, '--out', 'parquet', '--output', one])).code).toBe(0);
    expect((await view(['run', viewFile, data, '--out', 'parquet', '--output', three, '--threads', '3'])).code).toBe(0);
    const bytes = readFileSync(three);
    expect(Buffer.compare(readFileSync(one), bytes)).toBe(0);
    const rows = await parquetReadObjects({ file: new Uint8Array(bytes).buffer, columns: ['id'], compressors });
    expect(rows.map(({ id }) => id as string)).toEqual(lines.map((_, index) => `p${index}`));
  }, 60_000);

  it.each(['1', '2'])(
    'names a bad line by its number, never its content, and leaves no output: %s thread(s)',
    async (threads) => {
      const data = file(
        'bad.ndjson',
        `${patient('a')}\n${patient('b')}\n{"resourceType":"Patient","id":"CANARY\n${patient('c')}\n{"id":"CANARY"}\n`,
      );
      const output = join(directory, `bad-${threads}.csv`);
      const { code, err } = await view(['run', viewFile, data, '--out', 'csv', '--output', output, '--threads', threads]);
      expect(code).toBe(1);
      expect(err).toMatch(/^DATA_LINE_INVALID: line 3: it is not JSON/);
      expect(err).not.toContain('CANARY');
      expect([existsSync(output), readdirSync(directory).filter((name) => name.includes('partial'))]).toEqual([false, []]);
      const skipped = await view([
        'run',
        viewFile,
        data,
        '--out',
        'csv',
        '--output',
        output,
        '--threads',
        threads,
        '--skip-errors',
      ]);
      expect([skipped.code, readFileSync(output, 'utf8')]).toEqual([
        0,
        'id,birth_date,given,weight\r\na,,[],\r\nb,,[],\r\nc,,[],\r\n',
      ]);
      expect(skipped.err).toContain('3 resources, 3 rows, 2 bad lines (the first: DATA_LINE_INVALID: line 3:');
    },
  );

  it('names a value that does not fit its column', async () => {
    const data = file('date.ndjson', `${patient('a')}\n${patient('b', { birthDate: '1990-13-01' })}`);
    const { err } = await view(['run', viewFile, data, '--out', 'parquet', '--output', join(directory, 'date.parquet')]);
    expect(err).toMatch(/^VALUE_NOT_CONVERTIBLE: line 2: column "birth_date": a value of FHIR type date does not fit DATE/);
  });

  it('ends quietly when its reader goes away, and leaves nothing when it is interrupted', async () => {
    const data = join(directory, 'many.ndjson');
    const child = spawn(process.execPath, ['--import', 'tsx', PROGRAM, 'run', viewFile, data, '--out', 'csv'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
    await once(child.stdout, 'data');
    child.stdout.destroy();
    expect([(await once(child, 'close'))[0], errors]).toEqual([0, '']);

    const output = join(directory, 'interrupted.csv');
    const waiting = spawn(
      process.execPath,
      ['--import', 'tsx', PROGRAM, 'run', viewFile, '-', '--out', 'csv', '--output', output],
      { stdio: 'pipe' },
    );
    while (!readdirSync(directory).some((name) => name.includes('.partial')))
      await new Promise((resolve) => setTimeout(resolve, 20));
    waiting.kill('SIGINT');
    waiting.stdin.end(FEW);
    expect([
      (await once(waiting, 'close'))[0],
      existsSync(output),
      readdirSync(directory).some((name) => name.includes('.partial')),
    ]).toEqual([130, false, false]);
  }, 60_000);

  it('says so when gzip is cut', async () => {
    const cut = file('cut.ndjson.gz', gzipSync(FEW).subarray(0, 60));
    expect((await view(['run', viewFile, cut, '--out', 'csv'])).err).toMatch(/^DATA_FILE_UNREADABLE: /);
  });
});
