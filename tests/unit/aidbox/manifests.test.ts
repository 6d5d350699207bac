import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { MANIFEST_DIRECTORY } from '../../../app/aidbox/manifests.ts';
import { registerApp, unregisterApp } from '../../../app/aidbox/register.ts';
import { readDeletedContent } from '../../../app/aidbox/resource-history.ts';
import { repairDestinations } from '../../../app/destinations/repair.ts';
import { OPERATION_ACTIONS } from '../../../app/http/operations.ts';
import { makeInitBundle } from '../../../scripts/make-init-bundle.ts';
import { makeProfile } from '../../../scripts/make-profile.ts';
import { aCall, aDestination, makeFixture, OWN } from '../../helpers/destination-fixture.ts';

type Json = Record<string, unknown>;
const read = (file: string): string => readFileSync(join(MANIFEST_DIRECTORY, file), 'utf8');
const parse = (file: string): Json => JSON.parse(read(file)) as Json;
const files = (folder: string): Json[] => readdirSync(join(MANIFEST_DIRECTORY, folder)).map((name) => parse(join(folder, name)));

describe('manifests', () => {
  it('hold an init bundle made of the others: npx tsx scripts/make-init-bundle.ts', async () => {
    expect(read('init-bundle.json')).toBe(await makeInitBundle(MANIFEST_DIRECTORY));
  });

  it('hold a profile made of the parameter rules: npx tsx scripts/make-profile.ts', () => {
    expect(read('destination-profile.json')).toBe(makeProfile());
  });

  it('register exactly the operations that the app answers', () => {
    const ids = [
      ...Object.keys(parse('app.json')['operations'] as Json),
      ...files('operations').map((operation) => String(operation['id'])),
    ];
    expect(ids.sort()).toEqual(Object.keys(OPERATION_ACTIONS).sort());
  });

  it('have the same operations under both prefixes', () => {
    const routes = (prefix: string, list: [string, unknown[]][]): string[] =>
      list.map(([method, path]) => `${method} ${JSON.stringify(path).replace(`"${prefix}"`, '"*"')}`).sort();
    const own = Object.values(parse('app.json')['operations'] as Record<string, { method: string; path: unknown[] }>).map(
      ({ method, path }): [string, unknown[]] => [method.toLowerCase(), path],
    );
    const overrides = files('operations').map((operation): [string, unknown[]] => {
      const [method, ...path] = operation['request'] as [string, ...unknown[]];
      return [method, path];
    });
    expect(routes('lakehouse', own)).toEqual(routes('fhir', overrides));
  });

  it('have sample topics and views that fit together, with a time column and an id', () => {
    const triggers = files('topics').map((topic) => (topic['trigger'] as Json[])[0]!['resource']);
    const views = files('view-definitions') as { name: string; resource: string; select: { column: { name: string }[] }[] }[];
    expect(views.map((view) => view.resource).sort()).toEqual(triggers.sort());
    for (const view of views)
      expect(view.select[0]!.column.map((column) => column.name)).toEqual(expect.arrayContaining(['id', 'ts']));
  });

  it('grant the client exactly the calls that the app makes as itself, and every rule is used', async () => {
    const fixture = await makeFixture();
    const { deps, aidbox, operations } = fixture;
    try {
      const values = { LAKEHOUSE_APP_ID: 'lakehouse', LAKEHOUSE_APP_URL: 'http://lakehouse/aidbox', LAKEHOUSE_APP_SECRET: 's' };
      const registration = { ...deps, manifestDirectory: MANIFEST_DIRECTORY, values };
      await registerApp(registration);
      await operations.create(aCall({ resource: aDestination() }));
      await operations.create(aCall({ resource: aDestination({ viewDefinition: { valueString: 'view-1' } }, { id: 'second' }) }));
      await operations.read(aCall({ id: 'patient-lake' }));
      await operations.search(aCall());
      await operations.status(aCall({ id: 'patient-lake' }));
      await repairDestinations(deps);
      await readDeletedContent(deps.client, 'Patient', 'p1', undefined);
      await operations.remove(aCall({ id: 'patient-lake' }));
      await unregisterApp(registration);

      const calls = aidbox.calls.filter((call) => call.headers['authorization'] === OWN);
      const rules = (parse('access-policy.json')['matcho'] as { '$one-of': Json[] })['$one-of'];
      const allows = (rule: Json, call: (typeof calls)[number]): boolean => {
        const method = rule['request-method'] as string | { $enum: string[] };
        const uri = new RegExp(String(rule['uri']).slice(1).replace('${LAKEHOUSE_APP_ID}', 'lakehouse'));
        const params = Object.entries((rule['params'] as Record<string, string> | undefined) ?? {});
        return (
          (typeof method === 'string' ? [method] : method.$enum).includes(call.method.toLowerCase()) &&
          uri.test(call.path) &&
          params.every(([name, value]) => call.params.get(name) === value)
        );
      };
      expect(
        calls.filter((call) => !rules.some((rule) => allows(rule, call))).map((call) => `${call.method} ${call.path}`),
      ).toEqual([]);
      expect(rules.filter((rule) => !calls.some((call) => allows(rule, call)))).toEqual([]);
      for (const rule of rules) expect(rule['uri']).toMatch(/^#\^\/.+\$$/);
    } finally {
      await fixture.stop();
    }
  });
});
