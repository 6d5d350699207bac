import { describe, expect, it } from '@jest/globals';
import { readProxyEnvironment } from '../../../app/config/proxy-environment.ts';

describe('the proxies of the environment', () => {
  it('are read in capitals or not, and nothing else is', () => {
    const proxies = {
      HTTPS_PROXY: 'http://p:1',
      http_proxy: 'proxy.example.com:3128',
      ALL_PROXY: 'socks5://s',
      no_proxy: 'a, .b',
    };
    expect(readProxyEnvironment({ ...proxies, HTTP_PROXY: '', PATH: '/bin' })).toEqual(proxies);
  });

  it.each(['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy'])(
    'that are malformed are named, and not repeated (%s)',
    (name) => {
      for (const value of ['ftp://user:secret@p', 'http://user:secret@', 'http://user:secret%zz@p', 'http://secret:99999'])
        expect(() => readProxyEnvironment({ [name]: value })).toThrow(
          expect.objectContaining({
            code: 'CONFIG_INVALID',
            message: expect.stringMatching(new RegExp(`^(?!.*secret)${name} `)),
          }),
        );
    },
  );
});
