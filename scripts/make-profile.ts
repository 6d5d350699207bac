import { writeFile } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { DESTINATION_KIND, DESTINATION_PROFILE } from '../app/destinations/destination.ts';
import { PARAMETER_RULES } from '../app/destinations/parameter-rules.ts';

/** Makes manifests/destination-profile.json of the parameter rules: `npx tsx scripts/make-profile.ts`. */
export function makeProfile(): string {
  const root = 'AidboxTopicDestination';
  const slices = PARAMETER_RULES.flatMap((rule) => {
    const isRequired = Object.values(rule.presence).every((presence) => presence === 'required');
    const path = `${root}.parameter`;
    const id = `${path}:${rule.name}`;
    return [
      { id, path, sliceName: rule.name, short: rule.meaning, min: isRequired ? 1 : 0, max: '1' },
      { id: `${id}.name`, path: `${path}.name`, min: 1, max: '1', fixedString: rule.name },
      {
        id: `${id}.value[x]`,
        path: `${path}.value[x]`,
        min: 1,
        max: '1',
        type: [{ code: rule.type }],
        ...(rule.bounds === undefined ? {} : { minValueUnsignedInt: rule.bounds.min, maxValueUnsignedInt: rule.bounds.max }),
      },
    ];
  });
  const profile = {
    resourceType: 'StructureDefinition',
    id: DESTINATION_PROFILE.split('/').pop(),
    url: DESTINATION_PROFILE,
    name: 'DataLakehouseAtLeastOnceProfile',
    title: `AidboxTopicDestination of kind ${DESTINATION_KIND}`,
    status: 'active',
    kind: 'resource',
    abstract: false,
    type: root,
    baseDefinition: `http://health-samurai.io/fhir/core/StructureDefinition/${root}`,
    derivation: 'constraint',
    differential: {
      element: [
        { id: root, path: root },
        { id: `${root}.kind`, path: `${root}.kind`, fixedString: DESTINATION_KIND },
        {
          id: `${root}.parameter`,
          path: `${root}.parameter`,
          slicing: { discriminator: [{ type: 'value', path: 'name' }], rules: 'closed' },
        },
        ...slices,
      ],
    },
  };
  return `${JSON.stringify(profile, undefined, 2)}\n`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await writeFile(fileURLToPath(new URL('../manifests/destination-profile.json', import.meta.url)), makeProfile());
}
