#!/bin/sh
# Start Amazon's runtime client, which polls the Runtime API for events and calls the handler ("$1").
# Lambda provides this API; elsewhere the runtime interface emulator does.
set -eu
client="/opt/venv/bin/python -m awslambdaric"
if [ -n "${AWS_LAMBDA_RUNTIME_API:-}" ]; then
    exec $client "$@"
elif emulator=$(command -v aws-lambda-rie); then
    exec "$emulator" $client "$@"
fi
cat >&2 <<'END'
fft-pipeline: there is no Lambda Runtime API here, so no events would arrive.
  On a laptop, mount the runtime interface emulator, which listens on port 8080:
    docker run --rm -p 9000:8080 -v ./aws-lambda-rie:/usr/local/bin/aws-lambda-rie:ro IMAGE
  Download it from https://github.com/aws/aws-lambda-runtime-interface-emulator/releases
  To analyse files or standard input, use the command-line image: make image-cli
END
exit 64
