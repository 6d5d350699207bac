import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { checkRequest } from '../../../app/destinations/destination-request.ts';

/** The main source document, beside the checkout. */
const SEEDS = join(import.meta.dirname, '../../../../shared/seeds');
const isPresent = existsSync(SEEDS);

interface Payload {
  readonly resourceType: string;
  readonly id: string;
  readonly parameter: { name: string; valueString?: string }[];
}

/** JSON objects that follow `POST /fhir/AidboxTopicDestination` in the document. */
function readPayloads(): Payload[] {
  const file = readdirSync(SEEDS).find((name) => name.startsWith('000_'))!;
  const text = readFileSync(join(SEEDS, file), 'utf8');
  return text
    .split('POST /fhir/AidboxTopicDestination\n')
    .slice(1)
    .map((part) => JSON.parse(part.slice(0, endOfObject(part))) as Payload);
}

function endOfObject(text: string): number {
  let depth = 0;
  for (let index = 0; index < text.length; index++) {
    if (text[index] === '{') depth++;
    if (text[index] === '}' && --depth === 0) return index + 1;
  }
  throw new Error('the document ends within a payload');
}

/** What a reader of the document puts in for each placeholder. */
function substitute(payload: Payload): Payload {
  const values: Record<string, string> = {
    $DATABRICKS_HOST: 'https://dbc-1.cloud.databricks.com',
    '<workspace-id>': '1234567890123456',
    $AWS_REGION: 'us-east-1',
    $SP_CLIENT_ID: 'sp-1',
    $SP_CLIENT_SECRET: 'dose-1',
    $CATALOG: 'aidbox_export',
    $TARGET_SCHEMA: 'fhir',
    $TARGET_TABLE: 'patients',
    $WAREHOUSE_ID: 'abc123',
    $STAGING_BUCKET: 'my-bucket',
    '<key>': 'AKIAEXAMPLE',
    '<secret>': 'secret/key',
  };
  const fill = (text: string): string =>
    Object.entries(values).reduce((filled, [name, value]) => filled.replaceAll(name, value), text);
  return {
    ...payload,
    parameter: payload.parameter.map((each) =>
      each.valueString === undefined ? each : { ...each, valueString: fill(each.valueString) },
    ),
  };
}

const suite = isPresent ? describe : describe.skip;
suite('the create payloads of the source document (needs ../shared/seeds)', () => {
  const payloads = isPresent ? readPayloads() : [];

  it('are the four that are known', () => {
    expect(payloads.map((payload) => payload.id)).toEqual([
      'patient-databricks',
      'patient-databricks-sql',
      'patient-databricks-external',
      'patient-deltalake-s3',
    ]);
  });

  it('with their placeholders are refused, each placeholder at its place', () => {
    for (const payload of payloads) {
      const { issues } = checkRequest(payload as never);
      const expected = payload.parameter.flatMap(({ valueString = '' }, index) =>
        /[$<]/.test(valueString) ? [`AidboxTopicDestination.parameter[${index}].valueString`] : [],
      );
      const placeholders = issues
        .filter((issue) => issue.diagnostics.includes('placeholder'))
        .map((issue) => issue.expression![0]!);
      expect({ id: payload.id, places: placeholders.sort() }).toEqual({ id: payload.id, places: expected.sort() });
      expect(expected.length).toBeGreaterThan(0);
    }
  });

  it('with real values are valid; only vended credentials are not in this build', () => {
    const outcomes = payloads.map((payload) => {
      const { issues } = checkRequest(substitute(payload) as never);
      return {
        id: payload.id,
        issues: issues.map(({ code, expression, diagnostics }) => [code, expression![0], diagnostics.split('.')[0]]),
      };
    });
    expect(outcomes).toEqual([
      { id: 'patient-databricks', issues: [] },
      { id: 'patient-databricks-sql', issues: [] },
      {
        id: 'patient-databricks-external',
        issues: [
          [
            'not-supported',
            'AidboxTopicDestination.parameter[1].valueString',
            'credentials vended by Unity Catalog (external-direct with databricksWorkspaceUrl) are not in this build yet',
          ],
        ],
      },
      { id: 'patient-deltalake-s3', issues: [] },
    ]);
  });

  it('give the parameters of the accepted one as they are written', () => {
    const { request } = checkRequest(substitute(payloads[3]!) as never);
    expect(request).toMatchObject({
      id: 'patient-deltalake-s3',
      topic: 'http://example.org/subscriptions/patient-updates',
      values: {
        writeMode: 'external-direct',
        tablePath: 's3://my-bucket/patients/',
        viewDefinition: 'patient_flat',
        batchSize: 50,
        sendIntervalMs: 5000,
        skipInitialExport: false,
        createTable: false,
        targetFileSizeMb: 128,
      },
    });
  });
});
