#!/bin/bash
# Starts a process of interpreters: Zeppelin's server calls it (zeppelin.interpreter.remoterunner), with the options of
# the launcher that its distribution has and Maven has not.
set -euo pipefail
while getopts "c:p:r:i:d:l:g:u:" option; do
    case $option in
        c) host=$OPTARG ;;
        p) port=$OPTARG ;;
        r) range=$OPTARG ;;
        i) group=$OPTARG ;;
        d) folder=$OPTARG ;;
        *) ;;
    esac
done
main=org.apache.zeppelin.interpreter.remote.RemoteInterpreterServer
shaded=$ZEPPELIN_HOME/interpreter/zeppelin-interpreter-shaded-0.10.1.jar
shims=$ZEPPELIN_TEST_SHIMS
if [ "$(basename "$folder")" = spark ]; then
    # Zeppelin gives the settings of Spark as --conf|name=value|...
    IFS='|' read -r -a settings <<< "${ZEPPELIN_SPARK_CONF:-}"
    export PYTHONPATH=$shims:$(dirname "$SPARK_HOME")
    exec "$SPARK_HOME/bin/spark-submit" --class "$main" --driver-class-path "$folder/*:$shaded" \
        --driver-java-options "-Djava.io.tmpdir=$TMPDIR" "${settings[@]}" \
        "$folder/spark-interpreter-0.10.1.jar" "$host" "$port" "$group" "$range"
fi
export PYTHONPATH=$shims:$ZEPPELIN_TEST_PYSPARK
exec java -Xmx256m -Dfile.encoding=UTF-8 "-Djava.io.tmpdir=$TMPDIR" -cp "$folder/*:$shaded" "$main" "$host" "$port" "$group" "$range"
