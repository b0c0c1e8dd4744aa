"""The workflow on the local AWS: its functions, its state machine, and what starts it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tools.local_aws.resource import Resource

FUNCTIONS: Mapping[str, str] = {}

STATE_MACHINES: Mapping[str, Callable[[], str]] = {}

RESOURCES: tuple[Resource, ...] = ()
