import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../../app/config/config.ts';

const LEAST = {
  AIDBOX_URL: 'http://aidbox:8080',
  AIDBOX_CLIENT_ID: 'app',
  AIDBOX_CLIENT_SECRET: 'client-secret',
  APP_SECRET: 'a-secret-of-16-chars',
};

describe('loadConfig', () => {
  it('fills in defaults and freezes the result', () => {
    const config = loadConfig(LEAST);
    expect(config).toMatchObject({ ROLE: 'all', PORT: 8080, LEASE_MS: 15_000, DATA_DIR: './data' });
    expect(Object.isFrozen(config)).toBe(true);
  });

  it('takes an empty variable for one that is not set', () => {
    expect(loadConfig({ ...LEAST, REDIS_URL: '' }).REDIS_URL).toBeUndefined();
  });

  it('names every problem at once', () => {
    const broken = { ...LEAST, AIDBOX_URL: undefined, PORT: '70000', LOG_LEVEL: 'loud', ROLE: 'both' };
    expect(() => loadConfig(broken)).toThrow(/^4 problems.*ROLE.*PORT.*AIDBOX_URL is not set.*LOG_LEVEL/);
  });

  it('never repeats a value', () => {
    const broken = { ...LEAST, APP_SECRET: 'CANARY', SEAL_KEY: 'CANARY', REDIS_URL: 'CANARY', PORT: 'CANARY' };
    expect(() => loadConfig(broken)).toThrow(expect.not.objectContaining({ message: expect.stringContaining('CANARY') }));
  });

  it('refuses two queue stores', () => {
    expect(() => loadConfig({ ...LEAST, REDIS_URL: 'redis://r:6379', DATABASE_URL: 'postgres://p/db' })).toThrow(/choose one/);
  });

  it('takes several keys for sealing', () => {
    const key = Buffer.alloc(32, 1).toString('base64');
    expect(loadConfig({ ...LEAST, SEAL_KEY: `${key},${key}` }).SEAL_KEY).toBe(`${key},${key}`);
    expect(() => loadConfig({ ...LEAST, SEAL_KEY: 'short' })).toThrow(/32 bytes in base64/);
  });
});
