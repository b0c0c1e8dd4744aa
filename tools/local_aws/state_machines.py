"""State machines of the local AWS, from the definitions that Terraform uses."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tools.errors import ToolError
from tools.local_aws.clients import arn
from tools.local_aws.package import ROOT
from tools.local_aws.resource import Cloud, role

FOLDER = ROOT / "terraform" / "state_machines"

_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")


def render(path: Path, **values: str) -> str:
    """A definition with its placeholders replaced, as Terraform's ``templatefile`` does it.

    Placeholders stand inside strings: ``"FunctionName": "${plan}"``. Every placeholder needs a
    value, and every value its placeholder.
    """
    template = path.read_text("utf-8")
    wanted = set(_PLACEHOLDER.findall(template))
    if wanted != values.keys():
        missing = ", ".join(sorted(wanted - values.keys())) or "none"
        unused = ", ".join(sorted(values.keys() - wanted)) or "none"
        raise ToolError(f"{path.name}: values missing: {missing}; values not used: {unused}")
    rendered = _PLACEHOLDER.sub(lambda found: json.dumps(values[found[1]])[1:-1], template)
    try:
        json.loads(rendered)
    except ValueError as exc:
        raise ToolError(f"{path.name} is not JSON once its values are in: {exc}") from exc
    return rendered


def make_state_machine(cloud: Cloud, name: str, definition: str) -> None:
    """Create a state machine."""
    cloud.aws.states.create_state_machine(
        name=name, definition=definition, roleArn=role(name), type="STANDARD"
    )


def refresh_state_machine(cloud: Cloud, name: str, definition: str) -> None:
    """Update the definition of a state machine; executions that are running keep theirs."""
    cloud.aws.states.update_state_machine(
        stateMachineArn=state_machine_arn(name), definition=definition
    )


def state_machine_arn(name: str) -> str:
    """ARN of a state machine."""
    return arn("states", f"stateMachine:{name}")
