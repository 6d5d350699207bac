import { describe, expect, it } from '@jest/globals';
import { checkRequest } from '../../../app/destinations/destination-request.ts';
import { valueKey } from '../../../app/destinations/parameter-rule.ts';
import { PARAMETER_RULES } from '../../../app/destinations/parameter-rules.ts';
import { aDestination } from '../../helpers/destination-fixture.ts';

type Json = Record<string, unknown>;
type Mode = 'managed-zerobus' | 'managed-sql' | 'unity' | 'direct';

const text = (valueString: string): Json => ({ valueString });
const NONE = { awsAccessKeyId: undefined, awsSecretAccessKey: undefined };

/** A good set of parameters for each set of rules (S0's own examples, with real values). */
const GOOD: Record<Mode, Record<string, Json | undefined>> = {
  direct: {},
  unity: {
    ...NONE,
    tablePath: undefined,
    databricksWorkspaceUrl: text('https://dbc-1.cloud.databricks.com'),
    databricksClientId: text('sp-1'),
    databricksClientSecret: text('dose1'),
    tableName: text('aidbox_export.fhir.patients'),
  },
  'managed-sql': {
    ...NONE,
    tablePath: undefined,
    writeMode: text('managed-sql'),
    databricksWorkspaceUrl: text('https://dbc-1.cloud.databricks.com'),
    databricksClientId: text('sp-1'),
    databricksClientSecret: text('dose1'),
    tableName: text('aidbox_export.fhir.patients'),
    databricksWarehouseId: text('abc123'),
    stagingTablePath: text('s3://bucket/staging/patients/'),
  },
  'managed-zerobus': {
    ...NONE,
    tablePath: undefined,
    writeMode: undefined,
    databricksWorkspaceUrl: text('https://dbc-1.cloud.databricks.com'),
    databricksWorkspaceId: text('1234567890123456'),
    databricksRegion: text('us-east-1'),
    databricksClientId: text('sp-1'),
    databricksClientSecret: text('dose1'),
    tableName: text('aidbox_export.fhir.patients'),
    databricksWarehouseId: text('abc123'),
    stagingTablePath: text('s3://bucket/staging/patients/'),
  },
};

/** One row for each parameter: in which modes it is required, values that are good and bad there, where it has no effect or contradicts. */
const ROWS: readonly {
  readonly name: string;
  readonly source: string;
  readonly in: Mode;
  readonly requiredIn: readonly Mode[];
  readonly ignoredIn?: readonly Mode[];
  readonly forbiddenIn?: readonly Mode[];
  readonly good: readonly unknown[];
  readonly bad: readonly unknown[];
}[] = [
  {
    name: 'viewDefinition',
    source: 'S0.39',
    in: 'direct',
    requiredIn: ['managed-zerobus', 'managed-sql', 'unity', 'direct'],
    good: ['patient_flat', 'v'],
    bad: ['$VIEW', '<view>', 'x'.repeat(256)],
  },
  {
    name: 'batchSize',
    source: 'S0.40',
    in: 'direct',
    requiredIn: ['managed-zerobus', 'managed-sql', 'unity', 'direct'],
    good: [1, 50, 100_000],
    bad: [0, -1, 100_001, Number.MAX_SAFE_INTEGER],
  },
  {
    name: 'sendIntervalMs',
    source: 'S0.41',
    in: 'direct',
    requiredIn: ['managed-zerobus', 'managed-sql', 'unity', 'direct'],
    good: [10, 5000, 3_600_000],
    bad: [0, 9, -5, 3_600_001],
  },
  {
    name: 'writeMode',
    source: 'S0.17',
    in: 'direct',
    requiredIn: [],
    good: ['external-direct'],
    bad: ['managed', 'bogus', 'EXTERNAL-DIRECT', '$MODE'],
  },
  {
    name: 'databricksWorkspaceUrl',
    source: 'S0.42',
    in: 'unity',
    requiredIn: ['managed-zerobus', 'managed-sql'],
    good: ['https://dbc-1.cloud.databricks.com', 'https://dbc-1.cloud.databricks.com/'],
    bad: [
      '$DATABRICKS_HOST',
      'http://dbc-1.cloud.databricks.com',
      'dbc-1.cloud.databricks.com',
      'https://u:p@host',
      'https://host/path?o=1',
    ],
  },
  {
    name: 'databricksWorkspaceId',
    source: 'S0.43',
    in: 'managed-zerobus',
    requiredIn: ['managed-zerobus'],
    ignoredIn: ['direct'],
    good: ['1234567890123456'],
    bad: ['<workspace-id>', 'dbc-1'],
  },
  {
    name: 'databricksRegion',
    source: 'S0.44',
    in: 'managed-zerobus',
    requiredIn: ['managed-zerobus'],
    ignoredIn: ['direct'],
    good: ['us-east-1'],
    bad: ['$AWS_REGION', 'US East'],
  },
  {
    name: 'databricksClientId',
    source: 'S0.45',
    in: 'managed-sql',
    requiredIn: ['managed-zerobus', 'managed-sql', 'unity'],
    ignoredIn: ['direct'],
    good: ['1f9e-sp'],
    bad: ['$SP_CLIENT_ID'],
  },
  {
    name: 'databricksClientSecret',
    source: 'S0.46',
    in: 'managed-sql',
    requiredIn: ['managed-zerobus', 'managed-sql', 'unity'],
    ignoredIn: ['direct'],
    good: ['dose-with-$dollar-inside'],
    bad: ['$SP_CLIENT_SECRET', '${SECRET}', '<secret>'],
  },
  {
    name: 'databricksAccessToken',
    source: 'S1.8',
    in: 'managed-sql',
    requiredIn: [],
    ignoredIn: ['direct'],
    forbiddenIn: ['managed-zerobus'],
    good: ['dapi-0123'],
    bad: ['$TOKEN', '<token>'],
  },
  {
    name: 'tableName',
    source: 'S0.47',
    in: 'managed-sql',
    requiredIn: ['managed-zerobus', 'managed-sql', 'unity'],
    ignoredIn: ['direct'],
    good: ['a.b.c', 'aidbox_export.fhir-1.patients'],
    bad: ['b.c', 'a.b.c.d', 'a..c', '$CATALOG.$TARGET_SCHEMA.$TARGET_TABLE', '`a`.b.c', 'a. b.c'],
  },
  {
    name: 'databricksWarehouseId',
    source: 'S0.48',
    in: 'managed-sql',
    requiredIn: ['managed-zerobus', 'managed-sql'],
    ignoredIn: ['direct'],
    good: ['9f1c2d'],
    bad: ['$WAREHOUSE_ID', 'a b'],
  },
  {
    name: 'zerobusEndpoint',
    source: 'S3.9, contract §2.1',
    in: 'managed-zerobus',
    requiredIn: [],
    ignoredIn: ['direct', 'managed-sql', 'unity'],
    good: ['https://zerobus.example.org', 'http://127.0.0.1:8443', 'http://localhost:1'],
    bad: ['http://zerobus.example.org', 'https://zerobus.example.org/path', 'https://a:b@zerobus.example.org', '$ZEROBUS'],
  },
  {
    name: 'awsRegion',
    source: 'S0.49',
    in: 'direct',
    requiredIn: ['managed-zerobus', 'managed-sql', 'unity', 'direct'],
    good: ['us-east-1', 'us-gov-west-1'],
    bad: ['$AWS_REGION', 'Frankfurt'],
  },
  {
    name: 'stagingTablePath',
    source: 'S0.50',
    in: 'managed-sql',
    requiredIn: ['managed-zerobus', 'managed-sql'],
    ignoredIn: ['unity', 'direct'],
    good: ['s3://bucket/staging/patients/', 'gs://bucket/x', 'abfss://container@account.dfs.core.windows.net/x'],
    bad: ['s3://bucket', 's3://bucket/', 's3://$STAGING_BUCKET/staging/$TARGET_TABLE/', 'http://bucket/x', 's3://bucket/a/../b'],
  },
  { name: 'skipInitialExport', source: 'S0.51', in: 'direct', requiredIn: [], good: [true, false], bad: [] },
  { name: 'targetFileSizeMb', source: 'S0.52', in: 'direct', requiredIn: [], good: [1, 128, 4096], bad: [0, -128, 4097] },
  { name: 'initialExportChunkCount', source: 'profile', in: 'direct', requiredIn: [], good: [1, 8, 1024], bad: [0, -1, 1025] },
  {
    name: 'tablePath',
    source: 'S0.53',
    in: 'direct',
    requiredIn: ['direct'],
    ignoredIn: ['managed-zerobus', 'managed-sql', 'unity'],
    good: ['s3://bucket/path', 's3://bucket/path/', 'file:///var/lake/patients'],
    bad: [
      's3://bucket',
      '/var/lake',
      'file://var/lake',
      'file:///var/../etc',
      'gs://bucket/path',
      'abfss://c@a.dfs.core.windows.net/p',
      'ftp://h/p',
      's3://key:secret@bucket/path',
      's3://$BUCKET/x',
    ],
  },
  {
    name: 'awsAccessKeyId',
    source: 'S0.54',
    in: 'direct',
    requiredIn: ['direct'],
    ignoredIn: ['managed-zerobus', 'managed-sql', 'unity'],
    good: ['AKIAEXAMPLE'],
    bad: ['<key>', '$KEY', 'with blank'],
  },
  {
    name: 'awsSecretAccessKey',
    source: 'S0.54',
    in: 'direct',
    requiredIn: ['direct'],
    ignoredIn: ['managed-zerobus', 'managed-sql', 'unity'],
    good: ['a/b+c='],
    bad: ['<secret>', '$SECRET', 'with blank'],
  },
  {
    name: 's3Endpoint',
    source: 'S0.55',
    in: 'direct',
    requiredIn: [],
    ignoredIn: ['managed-zerobus', 'managed-sql', 'unity'],
    good: ['http://minio:9000', 'https://s3.example.org'],
    bad: ['minio:9000', 'http://minio:9000/bucket', 'ftp://minio', 'http://user:pass@minio:9000', '<endpoint>'],
  },
  {
    name: 'createTable',
    source: 'ours',
    in: 'direct',
    requiredIn: [],
    forbiddenIn: ['managed-zerobus', 'managed-sql', 'unity'],
    good: [true, false],
    bad: [],
  },
];

function issuesOf(
  mode: Mode,
  change: Record<string, Json | undefined> = {},
): readonly { code: string; diagnostics: string; expression?: readonly string[] }[] {
  const { issues } = checkRequest(aDestination({ ...GOOD[mode], ...change }));
  return issues.filter((issue) => issue.code !== 'not-supported');
}

function valueOf(name: string, value: unknown): Json {
  return { [valueKey(PARAMETER_RULES.find((rule) => rule.name === name)!)]: value };
}

describe('parameters of a lakehouse destination', () => {
  it('has one row of this table for each rule', () => {
    expect(ROWS.map((row) => row.name)).toEqual(PARAMETER_RULES.map((rule) => rule.name));
  });

  it.each(['managed-zerobus', 'managed-sql', 'unity', 'direct'] as const)(
    'finds nothing wrong with the good parameters of %s',
    (mode) => {
      expect(issuesOf(mode)).toEqual([]);
    },
  );

  describe.each(ROWS)('$name ($source)', (row) => {
    it('is reported as missing exactly in the modes that require it', () => {
      const missing = (['managed-zerobus', 'managed-sql', 'unity', 'direct'] as const).filter((mode) => {
        const found = issuesOf(mode, { [row.name]: undefined }).filter(
          (issue) => issue.code === 'required' && issue.diagnostics.startsWith(`${row.name} is missing`),
        );
        for (const issue of found) expect(issue.expression).toEqual(['AidboxTopicDestination.parameter']);
        return found.length === 1;
      });
      expect(missing.sort()).toEqual([...row.requiredIn].sort());
    });

    it('has no effect where the profile has it but the mode has no use for it: a warning says so, whatever its value', () => {
      for (const mode of row.ignoredIn ?? []) {
        for (const value of [row.good[0], row.bad[0]]) {
          const { issues, warnings } = checkRequest(aDestination({ ...GOOD[mode], [row.name]: valueOf(row.name, value) }));
          expect(issues.filter((issue) => issue.code !== 'not-supported')).toEqual([]);
          expect(warnings).toEqual([expect.stringContaining(`${row.name} has no effect: `)]);
        }
      }
    });

    it('is refused with a reason in the modes that it contradicts', () => {
      for (const mode of row.forbiddenIn ?? []) {
        const [issue] = issuesOf(mode, { [row.name]: valueOf(row.name, row.good[0]) }).filter((each) =>
          each.diagnostics.startsWith(`${row.name} is not allowed here: `),
        );
        expect(issue).toMatchObject({ code: 'invalid' });
      }
    });

    it('is refused with its place when the type of value[x] is another', () => {
      for (const wrong of [
        { valueDecimal: 1.5 },
        { valueCode: 'x' },
        { valueInteger: 5 },
        { value: { string: 'x' } },
        {},
        valueOf(row.name, null),
        valueOf(row.name, {}),
      ]) {
        const resource = aDestination({ ...GOOD[row.in], [row.name]: wrong });
        const index = (resource['parameter'] as { name: string }[]).findIndex((parameter) => parameter.name === row.name);
        const own = checkRequest(resource).issues.filter(
          (issue) => issue.expression?.[0] === `AidboxTopicDestination.parameter[${index}]`,
        );
        expect(own).toHaveLength(1);
        expect(own[0]).toMatchObject({ code: 'structure', diagnostics: expect.stringContaining(row.name) as unknown });
        expect(own[0]!.diagnostics).toContain('expected');
      }
    });

    it('takes its good values', () => {
      for (const value of row.good) {
        const extra = row.name === 's3Endpoint' || row.name !== 'tablePath' || !String(value).startsWith('file:') ? {} : NONE;
        expect({ value, issues: issuesOf(row.in, { ...extra, [row.name]: valueOf(row.name, value) }) }).toEqual({
          value,
          issues: [],
        });
      }
    });

    it('refuses its bad values, saying what was found and expected', () => {
      for (const value of row.bad) {
        const own = issuesOf(row.in, { [row.name]: valueOf(row.name, value) }).filter((issue) =>
          issue.diagnostics.startsWith(`${row.name}: `),
        );
        expect({ value, count: own.length }).toEqual({ value, count: 1 });
        expect(own[0]).toMatchObject({ code: 'value' });
        expect(own[0]!.diagnostics).toMatch(/found .+expected /);
        expect(own[0]!.expression![0]).toMatch(/^AidboxTopicDestination\.parameter\[\d+\]\.value/);
      }
    });
  });
});

describe('rules that join parameters', () => {
  it('needs one AWS key when the other is given', () => {
    expect(issuesOf('direct', { awsAccessKeyId: undefined })[0]!.diagnostics).toContain(
      'awsAccessKeyId is missing; it is required beside awsSecretAccessKey',
    );
    expect(issuesOf('direct', NONE)).toEqual([]);
  });

  it('needs no region with an endpoint, nor for a local path', () => {
    expect(issuesOf('direct', { awsRegion: undefined, s3Endpoint: text('http://minio:9000') })).toEqual([]);
    expect(issuesOf('direct', { ...NONE, awsRegion: undefined, tablePath: text('file:///lake/patients') })).toEqual([]);
  });

  it('takes an endpoint for S3 only', () => {
    expect(
      issuesOf('direct', { ...NONE, tablePath: text('file:///lake/p'), s3Endpoint: text('http://minio:9000') })[0]!.diagnostics,
    ).toContain('expected it for S3 only');
  });

  it('needs neither staging path nor region in a managed mode that skips the initial export', () => {
    const skip = { skipInitialExport: { valueBoolean: true }, stagingTablePath: undefined, awsRegion: undefined };
    expect(issuesOf('managed-sql', skip)).toEqual([]);
    expect(
      issuesOf('managed-sql', { ...skip, skipInitialExport: { valueBoolean: false } }).map(
        (issue) => issue.diagnostics.split(' ')[0],
      ),
    ).toEqual(['awsRegion', 'stagingTablePath']);
  });

  it('names the three dependants of a workspace URL', () => {
    const issues = issuesOf('unity', { databricksClientId: undefined, databricksClientSecret: undefined, tableName: undefined });
    expect(issues.map((issue) => issue.diagnostics.split(' ')[0])).toEqual([
      'databricksClientId',
      'databricksClientSecret',
      'tableName',
    ]);
  });

  it('names the three write modes when "managed" is given, and does not guess its rules', () => {
    const issues = issuesOf('direct', { writeMode: text('managed') });
    expect(issues).toHaveLength(1);
    expect(issues[0]!.diagnostics).toMatch(/managed-zerobus, managed-sql, external-direct/);
  });
});

describe('all problems at once', () => {
  it('reports an unknown name with the likely one, a duplicate, and a parameter without a name, beside the others', () => {
    const resource = aDestination({ batchSize: { valueUnsignedInt: 0 } });
    const parameter = [
      ...(resource['parameter'] as Json[]),
      { name: 'batchsize', valueUnsignedInt: 5 },
      { name: 'awsRegion', valueString: 'eu-west-1' },
      { valueString: 'x' },
      'nonsense',
    ];
    const { issues } = checkRequest({ ...resource, parameter });
    expect(issues.map((issue) => issue.expression?.[0])).toEqual([
      'AidboxTopicDestination.parameter[8].name',
      'AidboxTopicDestination.parameter[9]',
      'AidboxTopicDestination.parameter[10]',
      'AidboxTopicDestination.parameter[11]',
      'AidboxTopicDestination.parameter[6].valueUnsignedInt',
    ]);
    expect(issues[0]!.diagnostics).toContain('did you mean batchSize?');
  });

  it('reports what is wrong outside the parameters too', () => {
    const { issues } = checkRequest({
      ...aDestination(),
      id: '../x',
      topic: 'no url',
      content: 'id-only',
      status: 'off',
      colour: 'red',
      meta: { profile: ['http://other'] },
      filterBy: [],
    });
    expect(issues.map((issue) => issue.expression?.[0]).sort()).toEqual(
      [
        'AidboxTopicDestination',
        ...['content', 'filterBy', 'id', 'meta.profile', 'status', 'topic'].map((element) => `AidboxTopicDestination.${element}`),
      ].sort(),
    );
  });

  it('survives any shape of input', () => {
    for (const parameter of [
      undefined,
      null,
      5,
      'x',
      {},
      [null],
      [[]],
      [{ name: 5 }],
      [{ name: '__proto__', valueString: 'x' }],
      Array.from({ length: 300 }, () => ({ name: 'x' })),
    ]) {
      expect(checkRequest({ ...aDestination(), parameter }).issues.length).toBeGreaterThan(0);
    }
  });

  it('warns of nothing in the good parameters', () => {
    for (const mode of ['managed-zerobus', 'managed-sql', 'unity', 'direct'] as const)
      expect(checkRequest(aDestination(GOOD[mode])).warnings).toEqual([]);
  });

  it('takes any URI as topic, with a version too, and ids with underscores that are no operations', () => {
    for (const topic of ['http://t', 'urn:uuid:5', 'topic-1', 'http://t|2'])
      expect(checkRequest({ ...aDestination(), topic }).issues).toEqual([]);
    for (const topic of ['', 'no url', 5]) expect(checkRequest({ ...aDestination(), topic }).issues).toHaveLength(1);
    expect(checkRequest(aDestination({}, { id: 'patient_lake_' })).issues).toEqual([]);
    for (const id of ['_history', '_search', '$status', '..', 'a b', 'x'.repeat(65)])
      expect(checkRequest(aDestination({}, { id })).issues).toHaveLength(1);
  });

  it('never repeats the value of a secret', () => {
    const canary = 'canary value with blanks';
    for (const name of ['awsAccessKeyId', 'awsSecretAccessKey', 'databricksClientSecret']) {
      for (const value of [{ valueString: canary }, { valueCode: canary }, { valueString: `<${canary}>` }]) {
        const { issues, warnings } = checkRequest(aDestination({ [name]: value }));
        expect([...issues, ...warnings].length).toBeGreaterThan(0);
        expect(JSON.stringify([issues, warnings])).not.toContain(canary);
      }
    }
  });
});

describe('secret references (S0.36, S0.37)', () => {
  const reference = (name: string): Json => ({
    _valueString: {
      extension: [
        { url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'masked' },
        { url: 'http://health-samurai.io/fhir/secret-reference', valueString: name },
      ],
    },
  });

  it('are taken for every credential', () => {
    expect(issuesOf('direct', { awsAccessKeyId: reference('key-id'), awsSecretAccessKey: reference('key') })).toEqual([]);
    expect(
      issuesOf('managed-sql', { databricksClientId: reference('sp'), databricksClientSecret: reference('dbx-sp-secret') }),
    ).toEqual([]);
    expect(
      checkRequest(aDestination({ awsSecretAccessKey: reference('key') })).request.values.secrets['awsSecretAccessKey'],
    ).toEqual({ kind: 'reference', name: 'key' });
  });

  it('are refused elsewhere, and when they lead out of the directory', () => {
    expect(issuesOf('direct', { tablePath: reference('x') })[0]!.diagnostics).toContain(
      'only credentials can be given by reference',
    );
    for (const name of ['../etc/passwd', '.hidden', 'a/b', '']) {
      expect(issuesOf('direct', { awsSecretAccessKey: reference(name) })).toHaveLength(1);
    }
  });
});
