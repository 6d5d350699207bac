"""Rows as JSON lines in one form for all readers, so that what delta-rs and Spark read can be compared as text.

dates 'YYYY-MM-DD'; timestamps in UTC 'YYYY-MM-DDTHH:MM:SS.ffffffZ' (without Z when the column has no zone); decimals as text with their
scale; integers as numbers, beyond 2^53 as text; NaN and infinities as text; binary as base64; null columns are kept.
"""

import base64
import datetime
import decimal
import json
import math
import os
import sys

SAFE_INTEGER = 2**53 - 1


def plain(value):
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return value if abs(value) <= SAFE_INTEGER else str(value)
    if isinstance(value, float):
        if math.isfinite(value):
            return int(value) if value.is_integer() and abs(value) <= SAFE_INTEGER else value
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, datetime.datetime):
        if value.tzinfo is None:
            return value.isoformat(timespec="microseconds")
        return value.astimezone(datetime.timezone.utc).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(bytes(value)).decode("ascii")
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    raise TypeError(f"no JSON form for {type(value).__name__}")


def line(row):
    """One row (a dict) as one line without its end."""
    return json.dumps(plain(row), ensure_ascii=False, separators=(",", ":"))


def end():
    """Ends a program whose output is complete, at once: native threads of the readers may abort a process that tears itself down."""
    sys.stdout.flush()
    os._exit(0)
