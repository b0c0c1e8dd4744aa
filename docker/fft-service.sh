#!/bin/sh
# The command of the service, under the name that it has where it is installed with pip.
exec /opt/venv/bin/python -m service "$@"
