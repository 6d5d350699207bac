"""Reads every *.parquet file of a directory with pyarrow and prints one JSON line per file: {"file", "rows", "groups", "problems"}.

rows as in json_rows.py; groups is the number of row groups; problems lists each column whose statistics in the footer do not hold its values.

usage: read_parquet.py DIRECTORY
"""

import json
import os
import sys

import pyarrow.parquet

from json_rows import plain


def find_problems(path):
    file = pyarrow.parquet.ParquetFile(path)
    problems = []
    for group in range(file.num_row_groups):
        table = file.read_row_group(group)
        meta = file.metadata.row_group(group)
        for at in range(meta.num_columns):
            chunk = meta.column(at)
            name = chunk.path_in_schema.split(".")[0]
            stats, column = chunk.statistics, table.column(name)
            if stats is None or ".list." in chunk.path_in_schema:
                continue
            if stats.null_count != column.null_count:
                problems.append(f"{name}: {stats.null_count} nulls")
            values = [value for value in column.to_pylist() if value is not None]
            if stats.has_min_max and any(value < stats.min or value > stats.max for value in values):
                problems.append(f"{name}: a value lies outside of its bounds")
    return file.num_row_groups, problems


sys.stdout.reconfigure(encoding="utf-8", newline="\n")
for name in sorted(os.listdir(sys.argv[1])):
    if name.endswith(".parquet"):
        path = os.path.join(sys.argv[1], name)
        groups, problems = find_problems(path)
        rows = [plain(row) for row in pyarrow.parquet.read_table(path).to_pylist()]
        print(json.dumps({"file": name, "rows": rows, "groups": groups, "problems": problems}, ensure_ascii=False))
