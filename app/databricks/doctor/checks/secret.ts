import { quoteWord } from '../../setup/shell-quoting.ts';
import { ok, skipped, type Check } from '../check.ts';

/** The service principal gets a token for its secret. */
export const secretCheck: Check = {
  id: 'secret',
  title: 'OAuth secret of the service principal',
  needs: ['workspace'],
  async run(examination) {
    const tokens = examination.findTokens();
    if (tokens === undefined) return skipped('no databricksClientId and databricksClientSecret');
    await tokens.get();
    if (examination.target.accessToken !== undefined) {
      const unity = examination.findUnity();
      if (unity !== undefined) await examination.getMetastore(unity); // nothing else shows that it is taken
      return ok('the personal access token is taken');
    }
    return ok('a token was given');
  },
  cure: ({ target: { clientId = '' } }) => [
    `databricks service-principals list --filter ${quoteWord(`applicationId eq "${clientId}"`)}   # is it in this workspace?`,
    'In Databricks: Settings → Identity and access → Service principals → it → Secrets → Generate secret, without a limit of scopes; then give client id and secret to the destination.',
  ],
};
