/** @jest-config-loader esbuild-register */
import type { Config } from 'jest';

const shared: Config = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'es6' } }],
  },
};

/** `unit` and `property` need nothing; `service`, `acceptance` and `failure` use real parts (tests/helpers/services). */
const config: Config = {
  coverageProvider: 'v8',
  testTimeout: 30_000, // real servers on a busy machine
  projects: ['unit', 'property', 'service', 'acceptance', 'failure'].map((name) => ({
    ...shared,
    displayName: name,
    testMatch: [`<rootDir>/tests/${name}/**/*.test.ts`],
  })),
};
export default config;
