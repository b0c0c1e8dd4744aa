"""What resources of the local AWS are made of, and functions of the image by their handler.

Each part of the service has a module (:mod:`workflow <tools.local_aws.workflow>`, …) with a list
``RESOURCES``, and ``FUNCTIONS``: the handler of each function by the function's name.
:mod:`tools.local_aws.cloud` puts them together.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from handler.settings import Settings
from tools.local_aws.clients import ACCOUNT, LocalAws
from tools.local_aws.package import zipped

NAME = "fft-images"  # of the bucket, the queue and the function

MEMORY_MB = 1769  # one vCPU
SECONDS = 60  # timeout of an invocation
LOG_GROUP = f"/aws/lambda/{NAME}"  # of all functions


@dataclass(frozen=True)
class Cloud:
    """The emulator that the resources are created in, and the functions' code and environment."""

    aws: LocalAws
    code: Path
    environment: Mapping[str, str]

    @property
    def settings(self) -> Settings:
        """The environment, parsed as the functions parse it."""
        return Settings.from_environ(self.environment)


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource, and a function that creates it."""

    name: str
    make: Callable[[Cloud], None]


def role(name: str) -> str:
    """ARN of a role, which the emulator accepts without looking for it."""
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def make_function(cloud: Cloud, name: str, handler: str, **environment: str) -> None:
    """Create a function with the common code and environment, and its own ``environment``."""
    cloud.aws.functions.create_function(
        FunctionName=name,
        Runtime=f"python3.{sys.version_info.minor}",
        Handler=handler,
        Role=role(name),
        Code={"ZipFile": zipped(cloud.code)},
        MemorySize=MEMORY_MB,
        Timeout=SECONDS,
        Environment={"Variables": {**cloud.environment, **environment}},
        LoggingConfig={"LogGroup": LOG_GROUP},
    )


def refresh_function(cloud: Cloud, name: str) -> None:
    """Update a function's code and its settings; what else is in its environment stays."""
    functions = cloud.aws.functions
    found = functions.get_function_configuration(FunctionName=name)
    own = found.get("Environment", {}).get("Variables", {})
    kept = {key: value for key, value in own.items() if not key.startswith("FFT_")}
    functions.update_function_configuration(
        FunctionName=name, Environment={"Variables": {**kept, **cloud.environment}}
    )
    functions.update_function_code(FunctionName=name, ZipFile=zipped(cloud.code))
