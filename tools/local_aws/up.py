"""``up``, ``down`` and ``status``: start the emulator with its resources, stop it, describe it."""

from __future__ import annotations

import sys
from pathlib import Path

from fft_tool.printable import printable
from tools.errors import ToolError
from tools.local_aws.clients import LocalAws
from tools.local_aws.cloud import (
    DEAD_LETTERS,
    check_function,
    depth,
    make,
    own_settings,
    refresh,
)
from tools.local_aws.emulator import Emulator, Running
from tools.local_aws.resource import NAME, Cloud
from tools.say import say

PORT = 4566

NEXT = """\
  make drop IMG=input_images/text.png     process an image and wait for its results
  make drop WORKFLOW=1 OPERATIONS=grayscale,blur:3 IMG=input_images/text.png
                                          put an image through the workflow
  make logs                               follow the function's log
  make down                               stop it and delete everything

Other tools work too, with the keys of this run:

  export {variables}

  {tool} upload input_images s3://{bucket}/{inputs}
  aws s3 cp input_images/text.png s3://{bucket}/{inputs} --metadata crop=square
  aws s3 ls --recursive s3://{bucket}/{outputs}
"""


def up(emulator: Emulator, port: int | None, code: Path) -> None:
    """Start the emulator with its resources; if it is running, update the function's code."""
    settings = own_settings()
    with emulator.locked():
        running = emulator.running()
        if running:
            _refuse_other_port(running, port)
            cloud = Cloud(LocalAws.of(running), code, settings)
            refresh(cloud)
            say(f"local AWS: already running at {running.endpoint}; the function is up to date")
        else:
            _tell_of_death(emulator)
            with emulator.starting(port or PORT) as running:
                cloud = Cloud(LocalAws.of(running), code, settings)
                make(cloud)
            say(f"local AWS: started at {running.endpoint}")
        check_function(cloud.aws)
    say()
    say(_next_steps(cloud))


def down(emulator: Emulator) -> None:
    """Stop the emulator and all its processes."""
    with emulator.locked():
        ran = emulator.stop()
    say("local AWS: stopped" if ran else "local AWS: was not running")


def status(emulator: Emulator) -> None:
    """Print its address and the numbers of messages in its queues."""
    running = require_running(emulator)
    aws = LocalAws.of(running)
    waiting, in_work = depth(aws, NAME)
    dead = sum(depth(aws, DEAD_LETTERS))
    print(f"endpoint      {running.endpoint}")
    print(f"processes     {len(emulator.processes())}")
    print(f"queue         {waiting} waiting, {in_work} in work")
    print(f"dead letters  {dead}")


def require_running(emulator: Emulator) -> Running:
    """The running emulator; an error if there is none."""
    running = emulator.running()
    if running is None:
        raise ToolError("is not running: run `make up` first")
    return running


def _tell_of_death(emulator: Emulator) -> None:
    last = emulator.died()
    if last is not None:
        say(
            "local AWS: the previous run ended without `make down`, and its contents are lost; its "
            f"log ends with: {printable(last[:300])}"
        )


def _refuse_other_port(running: Running, port: int | None) -> None:
    if port not in (None, running.port):
        raise ToolError(f"already running on port {running.port}: run `make down` first")


def _next_steps(cloud: Cloud) -> str:
    """Commands for the user to copy."""
    variables = cloud.aws.variables
    return NEXT.format(
        bucket=NAME,
        inputs=cloud.settings.input_prefix,
        outputs=cloud.settings.output_prefix,
        variables=" \\\n    ".join(f"{name}={value}" for name, value in variables.items()),
        tool=_tool(),
    ).rstrip()


def _tool() -> str:
    """The command that runs ``fft-tool`` of this environment, from the current folder."""
    script = Path(sys.executable).with_name("fft-tool")
    command = str(script) if script.exists() else f"{sys.executable} -m fft_tool"
    return command.removeprefix(f"{Path.cwd()}/")
