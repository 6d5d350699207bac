import { expect, it } from '@jest/globals';
import { makeLogger } from '../../../app/log.ts';
import { logCompiledView } from '../../../app/service/compiled-view-log.ts';
import { compileView } from '../../../app/view/compile-view.ts';
import { aView } from '../../helpers/views.ts';

it('the log says how many expressions of a view are interpreted, and at debug which ones, without a literal of them', () => {
  const column = [
    { name: 'id', path: 'id' },
    { name: 'late', path: 'birthDate > @2020-01-01' },
  ];
  const view = compileView(aView({ column }, { where: [{ path: "name.given.distinct().first() = 'CANARY'" }] }));
  const lines: unknown[] = [];
  logCompiledView(
    makeLogger('debug', (line) => lines.push(JSON.parse(line))),
    'd1',
    view,
  );
  const common = { time: expect.any(String), destination: 'd1', view: 'test_view' };
  const interpreted = { ...common, level: 'debug', event: 'view.expression.interpreted', reason: expect.any(String) };
  expect(lines).toEqual([
    { ...common, level: 'info', event: 'view.compiled', expressions: 2 },
    { ...interpreted, place: 'where[0].path' },
    { ...interpreted, place: 'select[0].column[1].path', column: 'late' },
  ]);
  expect(JSON.stringify(lines)).not.toMatch(/CANARY|2020/);
});
