"""``up``, ``down`` and ``status``: the emulator with everything in it, there or not."""

from __future__ import annotations

import sys
from pathlib import Path

from tools.local_aws.aws import Aws
from tools.local_aws.cloud import (
    DEAD_LETTERS,
    NAME,
    Cloud,
    depth,
    make,
    own_settings,
    refresh,
    try_function,
)
from tools.local_aws.emulator import Emulator, Running
from tools.local_aws.errors import LocalError
from tools.local_aws.say import say

PORT = 4566

NEXT = """\
  make drop IMG=input_images/text.png     an image in, its spectrum out
  make logs                               what the function says
  make down                               stop it, and forget everything

or with other tools, once they have the keys of this run:

  export {variables}

  {tool} upload input_images s3://{bucket}/{inputs}
  aws s3 cp input_images/text.png s3://{bucket}/{inputs} --metadata crop=square
  aws s3 ls --recursive s3://{bucket}/{outputs}
"""


def up(emulator: Emulator, port: int | None, code: Path) -> None:
    """Start the emulator and make everything; if it runs, give the function its code anew."""
    settings = own_settings()
    with emulator.alone():
        running = emulator.running()
        if running:
            _refuse_moving(running, port)
            cloud = Cloud(Aws.of(running), code, settings)
            refresh(cloud)
            say(f"local AWS: is up at {running.endpoint}; the function has the code as it is now")
        else:
            with emulator.starting(port or PORT) as running:
                cloud = Cloud(Aws.of(running), code, settings)
                make(cloud)
            say(f"local AWS: up at {running.endpoint}")
        try_function(cloud.aws)
    say()
    say(_what_next(cloud))


def down(emulator: Emulator) -> None:
    """Stop the emulator with all its processes."""
    with emulator.alone():
        ran = emulator.stop()
    say("local AWS: stopped" if ran else "local AWS: is not up")


def status(emulator: Emulator) -> None:
    """Print where it is, and what is in the queues."""
    running = the_one_that_is_up(emulator)
    aws = Aws.of(running)
    waiting, in_work = depth(aws, NAME)
    dead = sum(depth(aws, DEAD_LETTERS))
    print(f"endpoint      {running.endpoint}")
    print(f"processes     {len(emulator.processes())}")
    print(f"queue         {waiting} waiting, {in_work} in work")
    print(f"dead letters  {dead}")


def the_one_that_is_up(emulator: Emulator) -> Running:
    """Give the emulator that runs, or say that there is none."""
    running = emulator.running()
    if running is None:
        raise LocalError("is not up: run `make up` first")
    return running


def _refuse_moving(running: Running, port: int | None) -> None:
    if port not in (None, running.port):
        raise LocalError(f"is up on port {running.port}: `make down` first")


def _what_next(cloud: Cloud) -> str:
    """Lines to copy."""
    variables = cloud.aws.variables
    return NEXT.format(
        bucket=NAME,
        inputs=cloud.settings.input_prefix,
        outputs=cloud.settings.output_prefix,
        variables=" \\\n    ".join(f"{name}={value}" for name, value in variables.items()),
        tool=_tool(),
    ).rstrip()


def _tool() -> str:
    """How ``fft-tool`` of this environment is called from here."""
    script = Path(sys.executable).with_name("fft-tool")
    command = str(script) if script.exists() else f"{sys.executable} -m fft_tool"
    return command.removeprefix(f"{Path.cwd()}/")
