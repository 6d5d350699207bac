import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { SETTINGS } from '../../app/config/config.ts';
import { ERRORS } from '../../app/errors/catalogue.ts';
import { makeMetrics } from '../../app/metrics.ts';
import { DOCS_DIRECTORY, ERROR_AREAS, makeDocs } from '../../scripts/docs.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Codes that nothing raises yet. There should be none. */
const RESERVED: readonly string[] = [];
/** Prefixes of variables that belong to other programs, to the tests, or to the manifests. */
const FOREIGN_NAMES = /^(AIDBOX_TAG|AWS_|BOX_|MINIO_|POSTGRES_|TEST_|LAKEHOUSE_|KILL_)/;

const pages = [
  ...[
    'README.md',
    'CONTRIBUTING.md',
    'CHANGELOG.md',
    'manifests/README.md',
    'tests/lab/aidbox/README.md',
    'tests/lab/databricks/README.md',
  ],
  ...filesBelow('docs', '.md'),
  ...filesBelow('app', '.md'),
];

describe('docs made from the code', () => {
  it('are in step with it: npm run docs', async () => {
    for (const [name, content] of await makeDocs()) {
      expect({ name, content: readFileSync(join(DOCS_DIRECTORY, name), 'utf8') }).toEqual({ name, content });
    }
  });
});

describe('the catalogue of errors', () => {
  it('has every error of the catalogue, each from one area', () => {
    const codes = ERROR_AREAS.flatMap(({ errors }) => Object.keys(errors));
    expect(codes.filter((code, index) => codes.indexOf(code) !== index)).toEqual([]);
    expect(codes.sort()).toEqual(Object.keys(ERRORS).sort());
  });

  it('has codes that are raised somewhere in the code', () => {
    const code = filesBelow('app', '.ts')
      .filter((file) => !file.startsWith('app/errors/'))
      .map((file) => read(file).replace(/isAppError\([^)]*\)/g, '')) // to ask for a code is not to raise it
      .join('\n');
    const unused = Object.keys(ERRORS).filter((name) => !code.includes(`'${name}'`));
    expect(unused).toEqual(RESERVED);
  });

  it('has entries of one or more whole sentences', () => {
    for (const [code, { meaning, action }] of Object.entries(ERRORS)) {
      for (const text of [meaning, action]) expect(`${code}: ${text}`).toMatch(/: \S.*\.$/);
    }
  });
});

describe('the pages', () => {
  it('link to files and headings that exist', () => {
    const broken = pages.flatMap((page) =>
      linksOf(read(page)).flatMap((link) => {
        const [path = '', anchor] = link.split('#');
        const target = path === '' ? join(ROOT, page) : resolve(ROOT, dirname(page), path);
        if (!existsSync(target)) return [`${page} → ${link}`];
        const isMissing = anchor !== undefined && !headingsOf(readFileSync(target, 'utf8')).includes(anchor);
        return isMissing ? [`${page} → ${link}: no such heading`] : [];
      }),
    );
    expect(broken).toEqual([]);
  });

  it('name settings, errors and metrics that exist', () => {
    const known = new Set([...Object.keys(SETTINGS), ...Object.keys(ERRORS)]);
    const metrics = makeMetrics()
      .registry.getMetricsAsArray()
      .map(({ name }) => name);
    const unknown = pages.flatMap((page) => {
      const text = read(page);
      const names = [...text.matchAll(/`([A-Z]+(?:_[A-Z]+)+)[=`/]/g)].map(([, name]) => name!);
      const metricNames = [...text.matchAll(/\blakehouse_[a-z]+_[a-z_]+\b/g)].map(([name]) => name);
      return [
        ...names.filter((name) => !known.has(name) && !FOREIGN_NAMES.test(name)),
        ...metricNames.filter((name) => !metrics.includes(name) && !name.startsWith('lakehouse_demo')),
      ].map((name) => `${page}: ${name}`);
    });
    expect(unknown).toEqual([]);
  });

  it('hold nothing of the machine they were written on', () => {
    for (const page of pages)
      expect({ page, found: /\/(?:home|work|tmp|root|Users)\/\S+/.exec(read(page))?.[0] }).toEqual({ page, found: undefined });
  });

  it('explain each folder of app/', () => {
    const folders = readdirSync(join(ROOT, 'app')).filter((name) => statSync(join(ROOT, 'app', name)).isDirectory());
    expect(folders.filter((name) => !existsSync(join(ROOT, 'app', name, 'README.md')))).toEqual([]);
  });
});

describe('SPEC.md', () => {
  it('names tests that exist', () => {
    const lines = read('docs/SPEC.md')
      .split('\n')
      .filter((line) => line.startsWith('- `tests/'));
    expect(lines.length).toBeGreaterThan(40);
    const wrong = lines.flatMap((line) => {
      const file = /`([^`]+)`/.exec(line)![1]!;
      if (!existsSync(join(ROOT, file))) return [file];
      const text = statSync(join(ROOT, file)).isDirectory()
        ? filesBelow(file.replace(/\/$/, ''), '.ts').map(read).join('\n')
        : read(file);
      return [...line.matchAll(/“([^”]+)”/g)]
        .filter(([, title]) => !text.includes(title!))
        .map(([, title]) => `${file}: ${title}`);
    });
    expect(wrong).toEqual([]);
  });

  it('names a test or a gap for each invariant and each rule', () => {
    const sections = read('docs/SPEC.md')
      .split(/^(?=\*\*[IE]\d+)/m)
      .slice(1);
    expect(sections.map((section) => /^\*\*([IE]\d+)/.exec(section)![1])).toEqual([
      ...Array.from({ length: 11 }, (_, index) => `I${index + 1}`),
      ...Array.from({ length: 9 }, (_, index) => `E${index + 1}`),
    ]);
    for (const section of sections) expect(section).toMatch(/^- (`tests\/|gap)/m);
  });
});

function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

/** Relative to the root, with `/` between the parts. */
function filesBelow(folder: string, ending: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    .filter((name) => name.endsWith(ending));
}

/** Targets of links that are not addresses of the web. */
function linksOf(page: string): string[] {
  return [...page.replace(/```[^]*?```/g, '').matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target]) => target!)
    .filter((target) => !/^[a-z]+:/.test(target));
}

/** Anchors of a page, as GitHub makes them. */
function headingsOf(page: string): string[] {
  return [...page.replace(/```[^]*?```/g, '').matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_\- ]/gu, '')
      .replaceAll(' ', '-'),
  );
}
