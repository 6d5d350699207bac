"""Asks delta-rs about a Delta table and prints one JSON document.

  query_delta.py info PATH APP_ID     version, column names, transaction version of APP_ID, number of files
  query_delta.py rows PATH SQL        rows of a query over the table `t` (values as in json_rows.py)
  query_delta.py checkpoint PATH      writes a checkpoint of the newest version
  query_delta.py compact PATH         rewrites the small files as one
"""

import json
import sys

import deltalake
import pyarrow

from json_rows import end, plain


def main(command, path, *rest):
    table = deltalake.DeltaTable(path)
    if command == "rows":
        result = deltalake.QueryBuilder().register("t", table).execute(rest[0]).read_all()
        return [plain(row) for row in pyarrow.table(result).to_pylist()]
    if command == "info":
        return {
            "version": table.version(),
            "columns": [field.name for field in table.schema().fields],
            "transaction": table.transaction_version(rest[0]),
            "files": len(table.file_uris()),
        }
    if command == "checkpoint":
        table.create_checkpoint()
    elif command == "compact":
        table.optimize.compact()
    else:
        raise SystemExit(f"unknown command {command}")
    return {"version": table.version()}


sys.stdout.reconfigure(encoding="utf-8")
print(json.dumps(main(*sys.argv[1:])))
end()
