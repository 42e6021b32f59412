#!/bin/bash
# Bootstrap action of distil: EMR runs it on every node as it starts, before Hadoop and Spark are there.
#
#   bootstrap.sh MINUTES PYTHON PACKAGES WHEEL...
#
# PACKAGES are names for pip, with blanks between them; a WHEEL is a URL of S3.
set -euo pipefail
minutes=$1 python=$2 packages=$3
shift 3

# The hard limit: EMR ends a cluster whose primary node is gone. It holds although nobody follows the cluster any more.
if grep -q '"isMaster": *true' /mnt/var/lib/info/instance.json; then
    sudo shutdown -P "+$minutes"
fi

# Amazon Linux 2023 has newer Pythons beside its own 3.9; the wheel needs 3.11.
if ! "$python" -m pip --version; then
    sudo dnf install -y -q "$python" "$python-pip"
fi

wheels=$(mktemp -d)
for wheel; do
    aws s3 cp --only-show-errors "$wheel" "$wheels/"
done
# Packages come from the wheels where they are among them, else from the index of pip.
# shellcheck disable=SC2086
sudo "$python" -m pip install --quiet --find-links "$wheels" "$wheels"/*.whl $packages

# Where steps find the application, on the primary.
sudo mkdir -p /opt/distil
sudo cp "$("$python" -m distil.spark)" /opt/distil/application.py
