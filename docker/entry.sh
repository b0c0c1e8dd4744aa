#!/bin/sh
# Start Amazon's runtime client, which asks a Runtime API for events and calls the handler ("$1").
# In Lambda that API is there; elsewhere the runtime interface emulator plays its part.
set -eu
client="/opt/venv/bin/python -m awslambdaric"
if [ -n "${AWS_LAMBDA_RUNTIME_API:-}" ]; then
    exec $client "$@"
elif emulator=$(command -v aws-lambda-rie); then
    exec "$emulator" $client "$@"
fi
cat >&2 <<'END'
fft-pipeline: there is no Lambda Runtime API here, so nobody would send events.
  On a laptop, mount the runtime interface emulator, which answers on port 8080:
    docker run --rm -p 9000:8080 -v ./aws-lambda-rie:/usr/local/bin/aws-lambda-rie:ro IMAGE
  It comes from https://github.com/aws/aws-lambda-runtime-interface-emulator/releases
  To analyse files or a pipe, use the image of the command line: make image-cli
END
exit 64
