import { describe, expect, it } from '@jest/globals';
import { findNeededNames } from '../../../app/flatten/needed-names.ts';

const view = (path: string): unknown => ({
  resource: 'Patient',
  where: [{ path: 'active' }],
  select: [{ column: [{ name: 'c', path }] }],
});
const ALWAYS = ['resourceType', 'id', 'active'];

describe('the names that a view needs', () => {
  it.each([
    ["name.where(use = 'official').first().family", ['name', 'use', 'family']],
    ['subject.getReferenceKey(Patient)', ['subject', 'reference', 'Patient']],
    ["extension('http://x').value.ofType(string)", ['extension', 'url', 'value', 'string']],
    ['name[0].given.join(%sep)', ['name', 'given']],
    ['(birthDate).exists() and active = true', ['birthDate', 'and']],
  ])('of %s are its words and what its functions read', (path, names) => {
    expect([...(findNeededNames(view(path)) ?? [])].sort()).toEqual([...new Set([...ALWAYS, ...names])].sort());
  });

  it.each([
    'name = contact.name',
    'name.distinct()',
    'name | contact.name',
    'identifier in contact',
    '`active`',
    'name.children()',
    'name is HumanName',
    'name ~ name',
    '%resource.descendants()',
  ])('of %s cannot be told', (path) => {
    expect(findNeededNames(view(path))).toBeUndefined();
  });

  it('come from every place that has expressions', () => {
    const definition = {
      select: [
        {
          forEach: 'a',
          select: [{ forEachOrNull: 'b', column: [{ path: 'c' }] }],
          unionAll: [{ repeat: ['d', 'e.f'], column: [] }],
        },
      ],
    };
    expect([...(findNeededNames(definition) ?? [])].sort()).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'id', 'resourceType']);
  });
});
