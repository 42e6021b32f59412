"""Spark's own plan, as an application for spark-submit: `spark_plan.py SQL SOURCE TARGET`.

SQL is a file with a query over the view `distil_input_0` of whole documents, as the backend `spark` writes it. All that
it gives is written: the survivors, and the counts of identical and conflicting copies beside them.
"""

import sys

from pyspark.sql import SparkSession

query, source, target = sys.argv[1:]
spark = SparkSession.builder.appName("plan").getOrCreate()
spark.read.option("wholetext", True).text(source).createOrReplaceTempView("distil_input_0")
with open(query) as text:
    spark.sql(text.read()).write.parquet(target)
spark.stop()
