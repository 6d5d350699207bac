"""Executes SQL statements with Spark for as long as standard input stays open: the session takes seconds to start, a statement does not.

One request per line: {"id", "text", "parameters": [{"name"?, "type"?, "value"?}]} or {"id", "schemaOf": table}. One answer per line:
{"id", "columns": [{"name", "type"}], "rows"}, {"id", "schema"} or {"id", "error": {"class", "sqlState", "message"}}.
Values are JSON by type: BIGINT, unscaled DECIMAL and microseconds of timestamps as texts of digits, dates as days, binaries as base64,
maps as lists of pairs, structs as lists.

usage: spark_sql.py CONFIGURATION JAR...      CONFIGURATION: a JSON object of further settings
"""

import base64
import datetime
import json
import math
import os
import sys
import tempfile

# What the JVM prints must not get between the answers.
answers = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
os.dup2(2, 1)
# Spark hands timestamps over in local time.
os.environ["TZ"] = "UTC"

import pyspark.sql.functions as functions  # noqa: E402
import pyspark.sql.types as types  # noqa: E402
from py4j.protocol import Py4JJavaError  # noqa: E402
from pyspark.sql import SparkSession  # noqa: E402

EPOCH = datetime.datetime(1970, 1, 1)
MICROSECOND = datetime.timedelta(microseconds=1)
# How a literal of each type is written, so that the parameter has exactly that type.
LITERALS = {
    "TINYINT": "{}Y",
    "SMALLINT": "{}S",
    "INT": "{}",
    "INTEGER": "{}",
    "BIGINT": "{}L",
    "FLOAT": "{}F",
    "DOUBLE": "{}D",
    "DECIMAL": "{}BD",
    "BOOLEAN": "{}",
}
TYPED = ("DATE", "TIMESTAMP", "TIMESTAMP_NTZ")

work = tempfile.TemporaryDirectory(prefix="spark-sql-")
builder = (
    SparkSession.builder.master("local[2]")
    .config("spark.jars", ",".join(sys.argv[2:]))
    .config("spark.driver.memory", "1g")
    .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
    .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.sql.shuffle.partitions", "2")
    .config("spark.databricks.delta.snapshotPartitions", "2")
    .config("spark.sql.warehouse.dir", os.path.join(work.name, "warehouse"))
    .config("spark.local.dir", work.name)
    .config("spark.driver.host", "127.0.0.1")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.ui.enabled", "false")
    .config("spark.ui.showConsoleProgress", "false")
)
for name, value in json.loads(sys.argv[1]).items():
    builder = builder.config(name, value)
spark = builder.getOrCreate()
spark.sparkContext.setLogLevel("OFF")


def read_parameter(parameter):
    kind, value = parameter.get("type"), parameter.get("value")
    if kind is None or value is None:
        return functions.lit(None)
    kind = kind.upper()
    if kind == "STRING":
        return functions.lit(value)
    if kind in TYPED:
        return functions.expr(f"{kind} '{value}'")
    return functions.expr(LITERALS[kind].format(value))


def encode(value, kind):
    if value is None:
        return None
    if isinstance(kind, types.LongType):
        return str(value)
    if isinstance(kind, types.DecimalType):
        return str(int(value.scaleb(kind.scale)))
    if isinstance(kind, (types.FloatType, types.DoubleType)) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(kind, types.DateType):
        return (value - EPOCH.date()).days
    if isinstance(kind, (types.TimestampType, types.TimestampNTZType)):
        return str((value - EPOCH) // MICROSECOND)
    if isinstance(kind, types.BinaryType):
        return base64.b64encode(value).decode()
    if isinstance(kind, types.ArrayType):
        return [encode(item, kind.elementType) for item in value]
    if isinstance(kind, types.MapType):
        return [[encode(key, kind.keyType), encode(item, kind.valueType)] for key, item in value.items()]
    if isinstance(kind, types.StructType):
        return [encode(value[index], field.dataType) for index, field in enumerate(kind.fields)]
    return value


def execute(request):
    parameters = request.get("parameters") or []
    bound = [read_parameter(parameter) for parameter in parameters]
    if parameters and "name" in parameters[0]:
        bound = {parameter["name"]: value for parameter, value in zip(parameters, bound)}
    frame = spark.sql(request["text"], bound) if parameters else spark.sql(request["text"])
    fields = frame.schema.fields
    return {
        "columns": [{"name": field.name, "type": field.dataType.simpleString()} for field in fields],
        "rows": [[encode(row[index], field.dataType) for index, field in enumerate(fields)] for row in frame.collect()],
    }


def describe(error):
    """Class, SQLSTATE and message of the first Spark error in the chain of causes."""
    # PySpark fails itself when it looks for the text of some of Delta's classes; what Spark threw is behind that.
    while isinstance(error.__context__, Py4JJavaError):
        error = error.__context__
    java = error.java_exception if isinstance(error, Py4JJavaError) else getattr(error, "_origin", None)
    first = None
    while java is not None:
        first = first or str(java.getMessage())
        try:
            found = java.getCondition()
            if found is not None:
                return {"class": found, "sqlState": java.getSqlState(), "message": str(java.getMessage())[:4000]}
        except Exception:
            pass  # not one of Spark's errors
        java = java.getCause()
    return {"class": None, "sqlState": None, "message": (first or str(error))[:4000]}


print(json.dumps({"id": 0}), file=answers)
for line in sys.stdin:
    request = json.loads(line)
    try:
        if "schemaOf" in request:
            answer = {"schema": json.loads(spark.table(request["schemaOf"]).schema.json())}
        else:
            answer = execute(request)
    except Exception as error:
        answer = {"error": describe(error)}
    print(json.dumps({"id": request["id"], **answer}), file=answers)
spark.stop()
