import { missing, ok, skipped, unknown, type Check } from '../check.ts';
import { isHtml } from '../../answers.ts';

/** Zerobus answers at its host. Whether it takes rows only a row would show, and none is written here. */
export const zerobusEndpointCheck: Check = {
  id: 'zerobus-endpoint',
  title: 'endpoint of Zerobus',
  needs: [],
  async run(examination) {
    const { mode } = examination.target;
    const endpoint = examination.findZerobusEndpoint();
    if (mode !== 'managed-zerobus' || endpoint === undefined) return skipped('not used');
    const answer = await examination.http.send({ method: 'GET', url: `${endpoint}/`, headers: { accept: 'application/json' } });
    if (isHtml(answer) || (answer.status >= 300 && answer.status < 400))
      return missing(`${endpoint} answers ${answer.status} with a page`, 'Zerobus Ingest', [
        'Correct databricksWorkspaceId and databricksRegion; a proxy that shows a login page must be told in HTTPS_PROXY.',
      ]);
    if (answer.status === 400 && answer.text.trim() === '')
      return unknown(
        `${endpoint} answers 400 without a text, as it does for another workspace id or region; compare both with the workspace`,
      );
    return ok(`${endpoint} answers; that it takes rows, only the first batch shows`);
  },
  cure: (examination) => [
    `Let ${new URL(examination.findZerobusEndpoint() ?? 'https://zerobus.invalid').host} through the firewall (allow-list, outgoing port 443) or name a proxy in HTTPS_PROXY; a host without address means a wrong databricksWorkspaceId or databricksRegion, or a region without Zerobus.`,
  ],
};
