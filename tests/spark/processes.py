"""What the servers of tests have in common: Spark's own files, and processes that are ended as one group."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parents[2]
SPARK = HERE / ".venv-spark"
PATIENCE = 600  # seconds after which a server counts as one that hangs


def spark_home():
    found = list(SPARK.glob("lib/python*/site-packages/pyspark"))
    if not found:
        sys.exit("Spark is not installed: make spark-servers")
    return found[0]


def require_java():
    java = os.environ.get("JAVA_HOME")
    if shutil.which(os.path.join(java, "bin", "java") if java else "java") is None:
        sys.exit("there is no Java, which Spark needs: install a JRE 17 or later, or set JAVA_HOME")


def run(command, environment):
    status = subprocess.run(command, shell=True, env=environment, check=False).returncode
    if status:
        sys.exit(status if status > 0 else 1)


def stop(*groups):
    """Ends the processes of these groups, and no others."""
    for how, patience in ((signal.SIGTERM, 50), (signal.SIGKILL, 20)):
        for group in groups:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, how)
        for _ in range(patience):
            if not any(is_alive(group) for group in groups):
                return
            time.sleep(0.1)


def is_alive(group):
    with contextlib.suppress(ChildProcessError):
        os.waitpid(group, os.WNOHANG)
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
