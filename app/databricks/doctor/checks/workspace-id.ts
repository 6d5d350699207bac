import { isAppError } from '../../../errors/app-error.ts';
import { missing, ok, skipped, unknown, type Check } from '../check.ts';

/** The number of the workspace is in the host of Zerobus and in its tokens. */
export const workspaceIdCheck: Check = {
  id: 'workspace-id',
  title: 'number of the workspace',
  needs: ['secret'],
  async run(examination) {
    const unity = examination.findUnity();
    const { mode, workspaceId } = examination.target;
    if (unity === undefined || workspaceId === undefined || mode !== 'managed-zerobus') return skipped('not used');
    const caller = await examination.getCaller(unity).catch((error: unknown) => {
      if (isAppError(error, 'UNITY_NOT_FOUND', 'UNITY_CALL_ABSENT', 'UNITY_PRIVILEGE_MISSING')) return undefined;
      throw error;
    });
    const actual = caller?.workspaceId;
    if (actual === undefined)
      return unknown('the workspace does not tell its number; compare with the one behind ?o= in its address');
    return actual === workspaceId
      ? ok(actual)
      : missing(`databricksWorkspaceId is ${workspaceId}`, `${actual}, as the workspace says`, [
          `{"name": "databricksWorkspaceId", "valueString": "${actual}"}`,
        ]);
  },
};
