"""Reads Delta tables with Spark for as long as standard input stays open: the session takes seconds to start, a read does not.

One request per line: {"id", "address", "version"?, "s3"?: {"endpoint", "accessKeyId", "secretAccessKey"}, "output"} for a table, or
{"id", "sql", "parameters", "output"} for a statement, whose table may be written by it. The rows go to the
file `output` as JSON lines (json_rows.py); the answer is one line {"id", "rows"} or {"id", "error"}.

usage: spark_reader.py JAR...
"""

import datetime
import json
import os
import sys
import tempfile
import urllib.parse

# What the JVM prints must not get between the answers.
answers = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
os.dup2(2, 1)
# Spark hands timestamps over in local time.
os.environ["TZ"] = "UTC"

from pyspark.sql import SparkSession  # noqa: E402
from pyspark.sql.types import ArrayType, MapType, StructType, TimestampType  # noqa: E402

from json_rows import line  # noqa: E402

work = tempfile.TemporaryDirectory(prefix="spark-reader-")
spark = (
    SparkSession.builder.master("local[2]")
    .config("spark.jars", ",".join(sys.argv[1:]))
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
    .config("spark.hadoop.fs.s3a.aws.credentials.provider", "org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider")
    .config("spark.hadoop.fs.s3a.path.style.access", "true")
    .config("spark.hadoop.fs.s3a.impl.disable.cache", "true")
    .config("spark.hadoop.fs.s3a.endpoint.region", "us-east-1")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("ERROR")


def with_zone(value, kind):
    """Marks the values of zoned timestamps, which Spark hands over without a zone."""
    if value is None:
        return None
    if isinstance(kind, TimestampType):
        return value.replace(tzinfo=datetime.timezone.utc)
    if isinstance(kind, StructType):
        return {field.name: with_zone(value[field.name], field.dataType) for field in kind.fields}
    if isinstance(kind, ArrayType):
        return [with_zone(item, kind.elementType) for item in value]
    if isinstance(kind, MapType):
        return {key: with_zone(item, kind.valueType) for key, item in value.items()}
    return value


def write_lines(frame, path):
    count = 0
    with open(path, "w", encoding="utf-8") as output:
        for row in frame.toLocalIterator():
            output.write(line(with_zone(row, frame.schema)) + "\n")
            count += 1
    return count


def run(request):
    return write_lines(spark.sql(request["sql"], args=request["parameters"]), request["output"])


def read(request):
    address = urllib.parse.urlsplit(request["address"])
    if address.scheme == "s3":
        address = address._replace(scheme="s3a")
        store = request["s3"]
        hadoop = spark.sparkContext._jsc.hadoopConfiguration()
        hadoop.set(f"fs.s3a.bucket.{address.netloc}.endpoint", store["endpoint"])
        hadoop.set(f"fs.s3a.bucket.{address.netloc}.access.key", store["accessKeyId"])
        hadoop.set(f"fs.s3a.bucket.{address.netloc}.secret.key", store["secretAccessKey"])
    # A path may have held another table a moment ago.
    spark._jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()
    reader = spark.read.format("delta")
    if request.get("version") is not None:
        reader = reader.option("versionAsOf", request["version"])
    frame = reader.load(address.geturl() if address.scheme != "file" else f"file://{address.path}")
    return write_lines(frame, request["output"])


print(json.dumps({"ready": True}), file=answers)
for text in sys.stdin:
    request = json.loads(text)
    try:
        answer = {"id": request["id"], "rows": run(request) if "sql" in request else read(request)}
    except Exception as error:
        answer = {"id": request["id"], "error": str(error)[:200_000 if "sql" in request else 2000]}
    print(json.dumps(answer), file=answers)
spark.stop()
