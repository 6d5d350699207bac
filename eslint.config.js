import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** Folders of app/ and what each may import beside lib/, errors/ and itself. The core (view, delta, fhir) does no I/O. */
const LAYERS = {
  lib: [],
  errors: ['lib'],
  fhir: ['lib', 'errors', 'view'],
  view: ['lib', 'errors'],
  rows: ['lib', 'errors', 'view'],
  parquet: ['lib', 'rows'],
  flatten: ['lib', 'errors', 'view', 'rows', 'parquet'],
  delta: ['lib', 'errors', 'rows', 'parquet', 'storage'],
  storage: ['lib', 'errors'],
  databricks: ['lib', 'errors', 'rows'],
  queue: ['lib', 'errors'],
  writers: ['lib', 'errors', 'rows', 'delta', 'storage', 'databricks', 'view', 'fhir'],
  'slow-lane': ['lib', 'errors', 'fhir', 'view', 'rows'],
  delivery: ['lib', 'errors', 'fhir', 'view', 'rows', 'queue', 'writers', 'slow-lane'],
  destinations: ['lib', 'errors', 'fhir', 'view', 'rows', 'writers', 'queue', 'aidbox', 'storage', 'databricks', 'delta'],
  aidbox: ['lib', 'errors', 'fhir'],
  config: ['lib', 'errors'],
  http: ['lib', 'errors', 'fhir', 'destinations', 'delivery', 'queue', 'aidbox'],
};
const folders = Object.keys(LAYERS);

const layerRules = Object.entries(LAYERS).map(([folder, allowed]) => ({
  files: [`app/${folder}/**/*.ts`],
  rules: {
    'no-restricted-imports': ['error', {
      patterns: folders
        .filter((other) => other !== folder && !allowed.includes(other))
        .map((other) => ({ group: [`**/${other}/**`], message: `app/${folder} may not import app/${other} (docs/architecture.md)` })),
    }],
  },
}));

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', 'coverage/', 'data/', '.cache/'] },
  js.configs.recommended,
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: ['eslint.config.js', 'scripts/setup.mjs'] }, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-restricted-globals': 'off',
    },
  },
  { files: ['app/**/*.ts'], rules: { 'no-console': 'error' } },
  {
    files: ['app/**/*.ts'],
    ignores: ['app/config/**'],
    rules: { 'no-restricted-properties': ['error', { object: 'process', property: 'env', message: 'read the environment in app/config only' }] },
  },
  ...layerRules,
  { files: ['**/*.js', '**/*.mjs'], ...tseslint.configs.disableTypeChecked },
);
