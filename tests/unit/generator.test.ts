import { describe, expect, it } from '@jest/globals';
import { planChanges, type Change } from '../../scripts/generator/changes.ts';
import { decimal, readExactJson, toPlainJson, writeExactJson } from '../../scripts/generator/exact-json.ts';
import { makeGenerator } from '../../scripts/generator/generator.ts';
import { startAidboxLab } from '../lab/aidbox/lab.ts';

const CHANGES = [...planChanges(20260801, 3000)];

function share(interaction: Change['interaction']): number {
  return CHANGES.filter((change) => change.interaction === interaction).length / CHANGES.length;
}

describe('planChanges', () => {
  it('gives the same plan for the same seed, and another for another', () => {
    expect([...planChanges(20260801, 3000)]).toEqual(CHANGES);
    expect([...planChanges(20260802, 50)]).not.toEqual(CHANGES.slice(0, 50));
  });

  it('is the beginning of the longer plan of its seed', () => {
    expect([...planChanges(20260801, 100)]).toEqual(CHANGES.slice(0, 100));
  });

  it.each([
    ['create', 0.7],
    ['update', 0.17],
    ['patch', 0.08],
    ['delete', 0.05],
  ] as const)('has its share of %ss', (interaction, expected) => {
    expect(Math.abs(share(interaction) - expected)).toBeLessThan(0.02);
  });

  it('holds the odd records that a pipeline must stand', () => {
    const patients = CHANGES.filter(({ type, interaction }) => type === 'Patient' && interaction === 'create').map(
      ({ body }) => body ?? '',
    );
    expect(patients.some((body) => !body.includes('"name"'))).toBe(true);
    expect(patients.some((body) => body.includes('"maiden"'))).toBe(true);
    expect(patients.some((body) => /"birthDate":"\d{4}"/.test(body))).toBe(true);
    expect(patients.some((body) => /"birthDate":"\d{4}-\d{2}"/.test(body))).toBe(true);
    expect(CHANGES.some(({ body }) => /"value":\d+\.\d*0,/.test(body ?? ''))).toBe(true);
    expect(CHANGES.some(({ body }) => body?.includes('😀'))).toBe(true);
    expect(CHANGES.some(({ interaction, method }) => interaction === 'create' && method === 'PUT')).toBe(true);
  });

  it('refers only to patients and encounters that exist at that time', () => {
    const living = new Set<string>();
    for (const { body, type, id, interaction } of CHANGES) {
      if (interaction === 'delete') living.delete(`${type}/${id}`);
      if (interaction !== 'create') continue;
      for (const [, target] of (body ?? '').matchAll(/"reference":"([^"]+)"/g)) {
        // A resource that comes back by PUT may refer to what went in the meantime.
        if (!isReturn(type, id)) expect(living).toContain(target);
      }
      living.add(`${type}/${id}`);
    }
    function isReturn(type: string, id: string): boolean {
      return CHANGES.some((change) => change.interaction === 'delete' && change.type === type && change.id === id);
    }
  });

  it('is accepted by the stand-in, change by change, and each change is a new version', async () => {
    const lab = await startAidboxLab();
    for (const { index, method, path, body, contentType, interaction, type, id } of CHANGES) {
      const headers: Record<string, string> = contentType === undefined ? {} : { 'content-type': contentType };
      const answer = await lab.call(method, path, { body, headers });
      const isNew = interaction === 'create';
      expect({ index, status: answer.status, body: answer.status < 300 ? undefined : answer.body }).toEqual({
        index,
        status: isNew ? 201 : 200,
        body: undefined,
      });
      const expected = interaction === 'patch' ? 'update' : interaction;
      expect(lab.history(type, id).at(-1)?.action).toBe(expected);
    }
    expect(lab.stats().versions).toBe(CHANGES.length);
    await lab.close();
  });
});

describe('makeGenerator', () => {
  it('makes the same resources for the same seed', () => {
    const make = (seed: number) => {
      const generator = makeGenerator(seed);
      const patient = generator.patient();
      const encounter = generator.encounter(patient.id);
      return [patient, encounter, generator.condition(patient.id), generator.observation(patient.id, encounter.id)];
    };
    expect(make(5)).toEqual(make(5));
    expect(make(5)).not.toEqual(make(6));
    expect(make(5).map(({ resourceType }) => resourceType)).toEqual(['Patient', 'Encounter', 'Condition', 'Observation']);
  });
});

describe('exact JSON', () => {
  it.each(['7.40', '1e3', '-0.0', '12345678901234567890', '0.1', '10', '{"a":["1.0",1.0,"\\"2.0"]}', '"\\\\"'])(
    'writes %s as it was',
    (text) => {
      expect(writeExactJson(readExactJson(text))).toBe(text);
      expect(toPlainJson(readExactJson(text))).toEqual(JSON.parse(text));
    },
  );

  it('writes marked decimals with their digits', () => {
    expect(writeExactJson({ value: decimal('7.40') })).toBe('{"value":7.40}');
  });

  it.each(['01.50', '1.', '.5', '1.10.5', '[1.0 2.0]', '{"a":1.0'])('refuses %s as JSON does', (text) => {
    expect(() => readExactJson(text)).toThrow(SyntaxError);
  });
});
