"""What the Python of Zeppelin 0.10 wants of a newer one, and of a newer pyspark. Later Zeppelins need none of it."""

import collections
import collections.abc
import os

# The py4j 0.10.7 of `%python` looks for names that Python 3.10 moved.
for name in ("Iterator", "Mapping", "MutableMapping", "MutableSequence", "MutableSet", "Sequence"):
    setattr(collections, name, getattr(collections.abc, name))

# `%spark.pyspark` asks for an attribute that pyspark 3.3 dropped. The variable says that Spark started this process.
if "SPARK_ENV_LOADED" in os.environ:
    from pyspark.sql import SparkSession, SQLContext

    SparkSession._wrapped = property(lambda self: SQLContext(self.sparkContext, self))
