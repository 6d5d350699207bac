/** @jest-config-loader esbuild-register */
import type { Config } from 'jest';

const shared: Config = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'es6' } }],
  },
};

/**
 * `unit` and `property` need nothing; `service`, `acceptance` and `failure` use real parts (tests/helpers/services). `endurance` kills and stops
 * processes for minutes and wants the machine for itself: `npm run test:endurance`, not part of `npm test`.
 */
const config: Config = {
  coverageProvider: 'v8',
  testTimeout: 30_000, // real servers on a busy machine
  projects: ['unit', 'property', 'service', 'acceptance', 'failure', 'endurance'].map((name) => ({
    ...shared,
    displayName: name,
    testMatch: [`<rootDir>/tests/${name}/**/*.test.ts`],
  })),
};
export default config;
