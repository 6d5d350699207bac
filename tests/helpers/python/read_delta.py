"""Prints the rows of a Delta table, as delta-rs reads it, as JSON lines (json_rows.py).

usage: read_delta.py ADDRESS [VERSION]     environment: DELTA_STORAGE_OPTIONS, a JSON object
"""

import json
import os
import sys

import deltalake

from json_rows import end, line

sys.stdout.reconfigure(encoding="utf-8", newline="\n")
table = deltalake.DeltaTable(
    sys.argv[1],
    version=int(sys.argv[2]) if len(sys.argv) > 2 else None,
    storage_options=json.loads(os.environ.get("DELTA_STORAGE_OPTIONS", "{}")),
)
for batch in table.to_pyarrow_table().to_batches():
    for row in batch.to_pylist():
        print(line(row))
end()
