import { AppError } from '../errors/app-error.ts';
import { parseProxyUrl } from '../lib/proxy-url.ts';

const PROXIES = ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY'];

/**
 * The proxies that the environment names, as other programs read them: in capitals or not. Which one is for which address, `chooseProxy` says.
 *
 * @throws AppError CONFIG_INVALID naming the variables that hold no URL of a proxy; never a value, as it may hold a password
 */
export function readProxyEnvironment(
  env: Readonly<Record<string, string | undefined>> = process.env,
): Readonly<Record<string, string>> {
  const find = (names: readonly string[]): (readonly [string, string])[] =>
    names
      .flatMap((name) => [name, name.toLowerCase()])
      .flatMap((name) => (env[name] === undefined || env[name] === '' ? [] : [[name, env[name]] as const]));
  const proxies = find(PROXIES);
  const wrong = proxies.filter(([, value]) => parseProxyUrl(value) === undefined).map(([name]) => name);
  if (wrong.length > 0)
    throw new AppError(
      'CONFIG_INVALID',
      `${wrong.join(', ')} in the environment: no URL of a proxy; expected http://, https:// or socks5:// and a host, such as http://proxy.example.com:3128, with user and password percent-encoded`,
    );
  return Object.fromEntries([...proxies, ...find(['NO_PROXY'])]);
}
