#!/bin/sh
# Install the packages of a lock file into /opt/venv; pip's report, read by bill.py, lists the wheels.
set -eu
if [ -f /run/secrets/ca ]; then export PIP_CERT=/run/secrets/ca; fi
if [ -f /run/secrets/pip ]; then export PIP_CONFIG_FILE=/run/secrets/pip; fi
[ -d /opt/venv ] || python3 -m venv --without-pip /opt/venv
python3 -m pip --python /opt/venv/bin/python install \
    --require-hashes --only-binary :all: --no-deps --no-compile --no-cache-dir --quiet \
    --disable-pip-version-check --root-user-action ignore \
    --report "$(mktemp report-XXXXXX)" \
    --requirement "$1"
PYTHONHASHSEED=0 python3 prune.py /opt/venv
