import { beforeEach, describe, expect, it } from '@jest/globals';
import type { AidboxClient } from '../../../app/aidbox/aidbox-client.ts';
import { AppError } from '../../../app/errors/app-error.ts';
import { systemClock } from '../../../app/lib/clock.ts';
import type { Json } from '../../../app/lib/json.ts';
import { makeLogger } from '../../../app/log.ts';
import { ViewWatch } from '../../../app/service/view-watch.ts';
import { compileView } from '../../../app/view/compile-view.ts';
import { nameFhirVersion } from '../../../app/view/view-definition.ts';

const aView = (more: Json = {}): Json => ({
  ...{ resourceType: 'ViewDefinition', name: 'patients', status: 'active', resource: 'Patient' },
  select: [{ column: [{ name: 'id', path: 'id' }] }],
  ...more,
});
const WIDER = aView({ select: [{ column: ['id', 'gender'].map((name) => ({ name, path: name })) }] });

describe('the view that a table follows', () => {
  let inAidbox: Json | 'no answer';
  let lines: string[];
  let watch: ViewWatch;
  let compile: (definition: unknown) => ReturnType<typeof compileView>;
  beforeEach(() => {
    inAidbox = aView();
    lines = [];
    compile = compileView;
    const client: AidboxClient = {
      baseUrl: 'http://aidbox',
      async request() {
        if (inAidbox === 'no answer') throw new AppError('AIDBOX_UNAVAILABLE', 'no answer');
        const body = { resourceType: 'Bundle', type: 'searchset', entry: [{ resource: inAidbox }] };
        return { status: 200, headers: {}, body };
      },
      forward: () => Promise.reject(new Error('not asked for')),
    };
    const definition = nameFhirVersion(aView(), 'R4');
    watch = new ViewWatch(
      {
        client,
        destinationId: 'd',
        viewName: 'patients',
        fhirVersion: 'R4',
        compile: (current) => compile(current),
        clock: systemClock,
        log: makeLogger('warn', (line) => void lines.push(line)),
      },
      { definition, view: compileView(definition) },
    );
  });
  const columns = async (): Promise<readonly string[]> => (await watch.read()).view.columns.map(({ name }) => name);

  it('is the one that Aidbox has now', async () => {
    expect(await columns()).toEqual(['id']);
    inAidbox = WIDER;
    expect(await columns()).toEqual(['id', 'gender']);
  });

  it('is not taken from the create when Aidbox was never asked with success: columns that it gained would stay null', async () => {
    inAidbox = 'no answer';
    await expect(watch.read()).rejects.toMatchObject({ code: 'AIDBOX_UNAVAILABLE', retry: 'later' });
    inAidbox = WIDER;
    expect(await columns()).toEqual(['id', 'gender']);
    inAidbox = 'no answer';
    expect(await columns()).toEqual(['id', 'gender']);
  });

  it.each([
    ['is for another type of resource', aView({ resource: 'Observation' })],
    ['cannot be compiled', aView({ select: [{ column: [{ name: 'id', path: 'id(' }] }] })],
    ['has no id', aView({ select: [{ column: [{ name: 'x', path: 'gender' }] }] })],
  ])('stays the last good one while the new one %s, which is said once', async (_what, unfit) => {
    inAidbox = unfit;
    expect(await columns()).toEqual(['id']);
    expect(await columns()).toEqual(['id']);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('view.change-not-usable');
  });

  it('stays the last good one when reading the new one meets a fault of our own', async () => {
    compile = () => {
      throw new RangeError('too deep');
    };
    inAidbox = WIDER;
    expect(await columns()).toEqual(['id']);
    expect(lines[0]).toContain('INTERNAL');
  });
});
