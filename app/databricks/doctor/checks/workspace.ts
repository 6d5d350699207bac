import { isHtml } from '../../answers.ts';
import { missing, ok, skipped, type Check } from '../check.ts';

/** DNS, TLS, proxies and the address itself: a workspace answers. */
export const workspaceCheck: Check = {
  id: 'workspace',
  title: 'workspace is reachable',
  needs: [],
  async run({ http, target: { workspaceUrl } }) {
    if (workspaceUrl === undefined) return skipped('no databricksWorkspaceUrl');
    const answer = await http.send({
      method: 'GET',
      url: `${workspaceUrl}/oidc/.well-known/oauth-authorization-server`,
      headers: { accept: 'application/json' },
    });
    const isElsewhere = isHtml(answer) || (answer.status >= 300 && answer.status < 400);
    return isElsewhere
      ? missing(`${workspaceUrl} answers ${answer.status} with a page`, 'a workspace of Databricks', [
          'Correct databricksWorkspaceUrl: https://<workspace host>, as in the address bar of the workspace; a proxy that shows a login page must be told in HTTPS_PROXY.',
        ])
      : ok(`${workspaceUrl} answers`);
  },
};
