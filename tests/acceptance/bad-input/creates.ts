import { VIEW } from './patients.ts';

export type Json = Record<string, unknown>;

/** What is wrong, parameters and elements over those of a good request, the code of the issue and where it points. */
export const BAD_REQUESTS: readonly [
  what: string,
  parameters: Record<string, Json | undefined>,
  elements: Json,
  code: string,
  expression: string,
][] = [
  [
    'an unknown parameter',
    { tablePaht: { valueString: 'x' } },
    {},
    'DESTINATION_INVALID',
    'AidboxTopicDestination.parameter[7].name',
  ],
  ['a number as text', { batchSize: { valueString: '100' } }, {}, 'DESTINATION_INVALID', 'AidboxTopicDestination.parameter[4]'],
  [
    'a text as number',
    { batchSize: { valueUnsignedInt: '100' } },
    {},
    'DESTINATION_INVALID',
    'AidboxTopicDestination.parameter[4]',
  ],
  ['a fraction', { batchSize: { valueUnsignedInt: 1.5 } }, {}, 'DESTINATION_INVALID', 'AidboxTopicDestination.parameter[4]'],
  [
    'a negative number',
    { sendIntervalMs: { valueUnsignedInt: -1 } },
    {},
    'DESTINATION_INVALID',
    'AidboxTopicDestination.parameter[5].valueUnsignedInt',
  ],
  [
    'a boolean as text',
    { createTable: { valueBoolean: 'true' } },
    {},
    'DESTINATION_INVALID',
    'AidboxTopicDestination.parameter[2]',
  ],
  ['a parameter without value', { viewDefinition: {} }, {}, 'DESTINATION_INVALID', 'AidboxTopicDestination.parameter[3]'],
  [
    'two values',
    { viewDefinition: { valueString: VIEW.name, valueInteger: 1 } },
    {},
    'DESTINATION_INVALID',
    'AidboxTopicDestination.parameter[3]',
  ],
  [
    'an unknown write mode',
    { writeMode: { valueString: 'external-indirect' } },
    {},
    'DESTINATION_INVALID',
    'AidboxTopicDestination.parameter[0].valueString',
  ],
  [
    'a path with dots',
    { tablePath: { valueString: 'file:///tmp/../etc' } },
    {},
    'DESTINATION_INVALID',
    'AidboxTopicDestination.parameter[1].valueString',
  ],
  [
    'a path that is none',
    { tablePath: { valueString: 'somewhere' } },
    {},
    'DESTINATION_INVALID',
    'AidboxTopicDestination.parameter[1].valueString',
  ],
  [
    'a path with percent-encoding',
    { tablePath: { valueString: 'file:///tmp/%2e%2e/etc' } },
    {},
    'STORAGE_ADDRESS_INVALID',
    'AidboxTopicDestination.parameter[1].valueString',
  ],
  [
    'a path outside the directory for tables',
    { tablePath: { valueString: 'file:///etc/lake' } },
    {},
    'STORAGE_PATH_NOT_ALLOWED',
    'AidboxTopicDestination.parameter[1].valueString',
  ],
  [
    'a kind of storage of later builds',
    { tablePath: { valueString: 'gs://bucket/path' } },
    {},
    'DESTINATION_INVALID',
    'AidboxTopicDestination.parameter[1].valueString',
  ],
  [
    'a view name that nobody has',
    { viewDefinition: { valueString: 'no_such_view' } },
    {},
    'VIEW_NOT_FOUND',
    'AidboxTopicDestination.parameter[3].valueString',
  ],
  [
    'a topic that nobody has',
    {},
    { topic: 'http://example.org/no-such-topic' },
    'TOPIC_NOT_FOUND',
    'AidboxTopicDestination.topic',
  ],
  ['a topic that is no URI', {}, { topic: 'my patients' }, 'DESTINATION_INVALID', 'AidboxTopicDestination.topic'],
  ['a topic that is a number', {}, { topic: 5 }, 'DESTINATION_INVALID', 'AidboxTopicDestination.topic'],
  ['parameters that are an object', {}, { parameter: {} }, 'DESTINATION_INVALID', 'AidboxTopicDestination.parameter'],
  [
    'parameters that are no parameters',
    {},
    { parameter: [null, 5, [], {}, { name: 5 }] },
    'DESTINATION_INVALID',
    'AidboxTopicDestination.parameter[0]',
  ],
  ['an unknown element', {}, { colour: 'red' }, 'DESTINATION_INVALID', 'AidboxTopicDestination'],
  ['another content', {}, { content: 'id-only' }, 'DESTINATION_INVALID', 'AidboxTopicDestination.content'],
];

const column = (...columns: Json[]): Json => ({ select: [{ column: columns }] });
/** What is wrong, the elements of the view, the code of the issue and what it says. */
export const BAD_VIEWS: readonly [what: string, view: Json, code: string, says: RegExp][] = [
  [
    'a syntax error',
    column({ name: 'id', path: 'id' }, { name: 'x', path: "name.where(use = 'official'" }),
    'VIEW_INVALID',
    /column\[1\]/,
  ],
  [
    'an element that does not exist',
    column({ name: 'id', path: 'id' }, { name: 'x', path: 'nmae.family' }),
    'VIEW_INVALID',
    /nmae/,
  ],
  ['no select', {}, 'VIEW_INVALID', /select/],
  ['a select that is a text', { select: 'id' }, 'VIEW_INVALID', /select/],
  [
    'a resource type that does not exist',
    { resource: 'Pacient', ...column({ name: 'id', path: 'id' }) },
    'VIEW_INVALID',
    /Pacient/,
  ],
  ['no id column', column({ name: 'x', path: 'gender' }), 'VIEW_UNSUITABLE', /no column id/],
  [
    'a column that the product fills',
    column({ name: 'id', path: 'id' }, { name: 'is_deleted', path: 'active' }),
    'VIEW_UNSUITABLE',
    /is_deleted/,
  ],
  ['one name twice', column({ name: 'id', path: 'id' }, { name: 'ID', path: 'gender' }), 'VIEW_INVALID', /ID|twice/],
];
