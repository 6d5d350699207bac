import { isAppError } from '../../../errors/app-error.ts';
import { quoteWord } from '../../setup/shell-quoting.ts';
import { ok, skipped, unknown, type Check } from '../check.ts';
import { unlessAbsent, type Examination } from '../examination.ts';

/** The service principal gets a token for its secret. */
export const secretCheck: Check = {
  id: 'secret',
  title: 'OAuth secret of the service principal',
  needs: ['workspace'],
  async run(examination) {
    const tokens = examination.findTokens();
    if (tokens === undefined) return skipped('no databricksClientId and databricksClientSecret');
    await tokens.get();
    if (examination.target.accessToken !== undefined)
      return (await isTokenTaken(examination))
        ? ok('the personal access token is taken')
        : unknown('nothing shows whether the personal access token is taken');
    return ok('a token was given');
  },
  cure: ({ target: { clientId = '' } }) => [
    `databricks service-principals list --filter ${quoteWord(`applicationId eq "${clientId}"`)}   # is it in this workspace?`,
    'In Databricks: Settings → Identity and access → Service principals → it → Secrets → Generate secret, without a limit of scopes; then give client id and secret to the destination.',
  ],
};

/** Only a call that needs a token shows that one is taken. False when there is none to try. @throws AppError DATABRICKS_TOKEN_REFUSED and others */
async function isTokenTaken(examination: Examination): Promise<boolean> {
  const unity = examination.findUnity();
  if (unity === undefined) return false;
  if ((await unlessAbsent(examination.getMetastore(unity))) !== undefined) return true;
  const { table } = examination.target;
  if (table === undefined) return false;
  await examination.getTable(unity, table.join('.')).catch((error: unknown) => {
    // Whom the workspace tells this, it knows.
    if (!isAppError(error, 'UNITY_NOT_FOUND', 'UNITY_PRIVILEGE_MISSING')) throw error;
  });
  return true;
}
