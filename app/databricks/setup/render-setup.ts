import { makeSetupSteps, type SetupRequest } from './setup-steps.ts';
import { quoteWord } from './shell-quoting.ts';

/**
 * The steps as a shell script to read, and to run whole or piece by piece as your own user. It needs the Databricks CLI, the AWS CLI and jq, each
 * logged in.
 */
export function renderSetup(request: SetupRequest): string {
  const steps = makeSetupSteps(request).map(({ title, notes, commands }, index) =>
    [`# ${index + 1}. ${title}`, ...notes.map((note) => `#    ${note}`), ...commands].join('\n'),
  );
  return `${[preamble(request), ...steps].join('\n\n')}\n`;
}

/** A statement that fails answers with status 200, so its state is looked at; the warehouse is started first, so that none waits for it. */
function preamble({ mode, workspaceUrl, warehouseId }: SetupRequest): string {
  return `#!/usr/bin/env bash
# Databricks on AWS for ${mode}. Read it before you run it.
set -euo pipefail
export DATABRICKS_HOST=${quoteWord(workspaceUrl)}
warehouse_id=${quoteWord(warehouseId)}
run_sql() {
  jq -Rs --arg warehouse "$warehouse_id" '{warehouse_id: $warehouse, wait_timeout: "50s", statement: (rtrimstr("\\n") | rtrimstr(";"))}' > statement.json
  databricks api post /api/2.0/sql/statements --json @statement.json |
    jq -e 'if .status.state == "SUCCEEDED" then .status.state else error(.status.error.message // .status.state) end'
  rm statement.json
}
databricks warehouses start "$warehouse_id"`;
}
