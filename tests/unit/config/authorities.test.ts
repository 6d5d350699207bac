import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { readAuthorities } from '../../../app/config/databricks-environment.ts';

describe('the authorities of the environment', () => {
  const directory = mkdtempSync(join(tmpdir(), 'authorities-'));
  const file = (name: string): string => {
    writeFileSync(join(directory, name), `PEM of ${name}`);
    return join(directory, name);
  };
  afterAll(() => rmSync(directory, { recursive: true }));

  it('are those of CA_FILE, and those of NODE_EXTRA_CA_CERTS which it would switch off', async () => {
    expect(await readAuthorities(file('own'), {})).toEqual({ caPem: 'PEM of own' });
    expect(await readAuthorities(file('own'), { NODE_EXTRA_CA_CERTS: file('extra') })).toEqual({
      caPem: 'PEM of own',
      extraCaPem: 'PEM of extra',
    });
  });

  it('are left to Node without CA_FILE', async () => {
    expect(await readAuthorities(undefined, { NODE_EXTRA_CA_CERTS: file('extra') })).toEqual({});
  });

  it('name the variable whose file cannot be read', async () => {
    const nowhere = join(directory, 'nowhere');
    await expect(readAuthorities(nowhere, {})).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/^CA_FILE /),
    });
    await expect(readAuthorities(file('own'), { NODE_EXTRA_CA_CERTS: nowhere })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/^NODE_EXTRA_CA_CERTS /),
    });
  });
});
