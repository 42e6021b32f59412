"""A real Zeppelin 0.10 on loopback, by plain java, with the interpreters %md, %python and %spark.pyspark. The jars come
from pom.xml beside this file; they have no pages, so all of it is for the REST interface.

    zeppelin.py up FOLDER        prints DISTIL_ZEPPELIN_URL=http://127.0.0.1:PORT
    zeppelin.py down FOLDER
    zeppelin.py around COMMAND   starts it in a folder of its own, runs a shell command with what it prints in its
                                 environment, and stops it

%python is .venv-package, with the pyspark of .venv-spark; %spark.pyspark is the Python of .venv-package on the Spark of
.cache/spark-3.5.6: `make test-zeppelin` installs them. Jars are kept in .cache/zeppelin.
"""

import argparse
import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "spark"))

from servers import PATIENCE, free_port, spark_home, stop

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
LIB = ROOT / ".cache" / "zeppelin"
PYTHON = ROOT / ".venv-package" / "bin" / "python"
OLDER_SPARK = ROOT / ".cache" / "spark-3.5.6"
SERVER = "org.apache.zeppelin.server.ZeppelinServer"
# Of its interpreter for Spark: netty and log4j of Zeppelin must not come before those of Spark.
SPARK_JARS = (
    *("spark-interpreter", "spark-shims", "spark3-shims", "zeppelin-python"),
    *("zeppelin-jupyter-interpreter", "r", "commons-exec", "jsoup"),
)


def fetch():
    """The jars of each class path, in a folder by the name of its profile."""
    maven = shutil.which("mvn") or sys.exit("mvn is not there: it fetches the jars of Zeppelin")
    for profile in ("server", "md", "python", "spark"):
        if (LIB / profile).is_dir():
            continue
        # Half a class path must not be taken for one.
        new = LIB / f"{profile}.new"
        shutil.rmtree(new, ignore_errors=True)
        command = [maven, "-q", "-B", "-f", HERE / "pom.xml", "-P", profile]
        command += ["dependency:copy-dependencies", "-DincludeScope=runtime"]
        subprocess.run([*command, f"-DoutputDirectory={new}"], check=True, stdout=sys.stderr)
        new.rename(LIB / profile)


def older_spark_home():
    found = list(OLDER_SPARK.glob("lib/python*/site-packages/pyspark"))
    return found[0] if found else sys.exit("Spark 3.5.6 is not installed: make test-zeppelin")


def assemble(home):
    """The folders of an installation."""
    for name in ("conf", "notebook", "logs", "local-repo", "pages", "tmp"):
        (home / name).mkdir(parents=True)
    (home / "pages" / "index.html").write_text("<html></html>")
    (home / "conf" / "log4j.properties").write_text(
        "log4j.rootLogger=INFO,c\nlog4j.appender.c=org.apache.log4j.ConsoleAppender\n"
        "log4j.appender.c.layout=org.apache.log4j.PatternLayout\n"
        "log4j.appender.c.layout.ConversionPattern=%d{ISO8601} %p %c{1}: %m%n\n"
    )
    interpreters = home / "interpreter"
    for profile in ("md", "python", "spark"):
        (interpreters / profile).mkdir(parents=True)
        for jar in sorted((LIB / profile).glob("*.jar")):
            shared = jar.name.startswith("zeppelin-interpreter-shaded-")
            name = jar.name.rpartition("-")[0]
            if not shared and (profile != "spark" or name in SPARK_JARS):
                (interpreters / profile / jar.name).symlink_to(jar)
            elif shared and profile == "python":
                (interpreters / jar.name).symlink_to(jar)
    compile_session(interpreters / "spark")


def compile_session(folder):
    """What stands in for the Scala shell, where Zeppelin looks for that; and which interpreters there are."""
    classes = folder.parents[1] / "classes"
    command = ["javac", "--release", "11", "-nowarn", "-d", classes]
    command += ["-cp", f"{LIB / 'spark'}/*:{older_spark_home() / 'jars'}/*"]
    subprocess.run([*command, HERE / "SparkScala212Interpreter.java"], check=True)
    (folder / "scala-2.12").mkdir()
    shutil.make_archive(str(classes), "zip", classes)
    classes.with_suffix(".zip").rename(folder / "scala-2.12" / "session.jar")
    # Without a file the settings are the first ones on the class path, which are those of %python.
    with zipfile.ZipFile(next(folder.glob("spark-interpreter-*.jar"))) as jar:
        settings = json.loads(jar.read("interpreter-setting.json"))
    wanted = [setting for setting in settings if setting["name"] in ("spark", "pyspark")]
    (folder / "interpreter-setting.json").write_text(json.dumps(wanted))


def start(home, port):
    properties = {
        "file.encoding": "UTF-8",
        "java.io.tmpdir": home / "tmp",
        "zeppelin.home": home,
        "zeppelin.conf.dir": home / "conf",
        "zeppelin.notebook.dir": home / "notebook",
        "zeppelin.interpreter.dir": home / "interpreter",
        "zeppelin.interpreter.localRepo": home / "local-repo",
        "zeppelin.interpreter.remoterunner": HERE / "interpreter.sh",
        "zeppelin.interpreter.connect.timeout": PATIENCE * 1000,
        "zeppelin.notebook.storage": "org.apache.zeppelin.notebook.repo.VFSNotebookRepo",
        "zeppelin.search.enable": "false",
        "zeppelin.server.addr": "127.0.0.1",
        "zeppelin.server.port": port,
        "zeppelin.war": home / "pages",
        "zeppelin.angular.war": home / "pages",
    }
    environment = os.environ | {
        # Without it the server ends when its standard input does.
        "ZEPPELIN_IDENT_STRING": "test",
        "ZEPPELIN_HOME": str(home),
        "ZEPPELIN_CONF_DIR": str(home / "conf"),
        "ZEPPELIN_LOG_DIR": str(home / "logs"),
        "ZEPPELIN_LOCAL_IP": "127.0.0.1",
        "ZEPPELIN_TEST_SHIMS": str(HERE / "shims"),
        "ZEPPELIN_TEST_PYSPARK": str(spark_home().parent),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "TMPDIR": str(home / "tmp"),
    }
    for name in ("SPARK_HOME", "SPARK_CONF_DIR", "PYSPARK_PYTHON", "PYTHONPATH"):
        environment.pop(name, None)
    command = ["java", "-Xmx384m", *(f"-D{key}={value}" for key, value in properties.items())]
    with (home / "logs" / "server.log").open("wb") as log:
        return subprocess.Popen(
            [*command, "-cp", f"{home / 'conf'}:{LIB / 'server'}/*", SERVER],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=home,
            env=environment,
            start_new_session=True,
        )


def call(url, method="GET", body=None):
    """What the REST interface answers. It takes a request without Origin for one of this machine."""
    request = urllib.request.Request(
        url,
        method=method,
        headers={"Content-Type": "application/json"},
        data=None if body is None else body.encode(),
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return json.load(answer).get("body")


def configure(url):
    """The settings of interpreters that a user would make."""
    wanted = {
        # What `%python` has beside IPython, which is not on Maven.
        "python": {"zeppelin.python": PYTHON, "zeppelin.python.useIPython": "false"},
        "spark": {
            "SPARK_HOME": older_spark_home(),
            "PYSPARK_PYTHON": PYTHON,
            "PYSPARK_DRIVER_PYTHON": PYTHON,
            "spark.master": "local[2]",
            "spark.driver.memory": "512m",
            "spark.ui.enabled": "false",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "zeppelin.pyspark.useIPython": "false",
            # 0.10 knows Spark up to 3.2.
            "zeppelin.spark.enableSupportedVersionCheck": "false",
        },
    }
    for setting in call(f"{url}/api/interpreter/setting"):
        for key, value in wanted.get(setting["name"], {}).items():
            setting["properties"][key] = {"name": key, "value": str(value), "type": "string"}
        if setting["name"] in wanted:
            call(f"{url}/api/interpreter/setting/{setting['id']}", "PUT", json.dumps(setting))


def up(folder):
    fetch()
    home = folder / "home"
    assemble(home)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    process = start(home, port)
    (folder / "group").write_text(str(process.pid))
    until = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < until:
        with contextlib.suppress(OSError, ValueError):
            call(f"{url}/api/version")
            configure(url)
            return {"DISTIL_ZEPPELIN_URL": url, "DISTIL_ZEPPELIN_LOGS": str(home / "logs")}
        time.sleep(0.2)
    said = (home / "logs" / "server.log").read_text(errors="replace")[-3000:]
    down(folder)
    return sys.exit(f"{said}\nZeppelin does not answer")


def down(folder):
    """Ends the processes that `up` started, and no others; what they wrote goes with them."""
    group = folder / "group"
    if group.exists():
        stop(int(group.read_text()), folder)


def around(command):
    with tempfile.TemporaryDirectory(prefix="distil-zeppelin-", ignore_cleanup_errors=True) as made:
        folder = pathlib.Path(made, "zeppelin")
        try:
            named = up(folder)
            return subprocess.run(command, shell=True, env=os.environ | named).returncode
        finally:
            down(folder)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["up", "down", "around"])
    parser.add_argument("argument", metavar="FOLDER|COMMAND")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if asked.what == "around":
        sys.exit(around(asked.argument))
    folder = pathlib.Path(asked.argument).resolve()
    if asked.what == "down":
        return down(folder)
    for name, value in up(folder).items():
        print(f"{name}={value}")


if __name__ == "__main__":
    main()
