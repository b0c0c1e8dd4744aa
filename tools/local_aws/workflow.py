"""The workflow on the local AWS: its functions, its state machine, and what starts it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial

from fft_tool.workflows.executions import execution_name, input_of
from tools.local_aws.clients import LocalAws, arn
from tools.local_aws.resource import NAME, Cloud, Resource, make_function, role
from tools.local_aws.state_machines import (
    FOLDER,
    make_state_machine,
    render,
    state_machine_arn,
)

WORKFLOW = f"{NAME}-workflow"  # of the state machine, the rule and the topic
STEPS = ("plan", "process", "analyse", "finish", "reject")
TOPIC = arn("sns", WORKFLOW)


def definition() -> str:
    """The state machine's definition."""
    functions = {step: arn("lambda", f"function:{WORKFLOW}-{step}") for step in STEPS}
    return render(FOLDER / "workflow.asl.json", partition="aws", topic=TOPIC, **functions)


def start_workflow(aws: LocalAws, key: str, etag: str, version: str = "") -> str:
    """Start the workflow for one version of an object, unless that has been done; returns its ARN.

    EventBridge does the same for each upload, under a name of its own.
    """
    name = execution_name(key, etag, version)
    try:
        started = aws.states.start_execution(
            stateMachineArn=state_machine_arn(WORKFLOW),
            name=name,
            input=input_of(NAME, key, etag, version),
        )
    except aws.states.exceptions.ExecutionAlreadyExists:
        return arn("states", f"execution:{WORKFLOW}:{name}")
    found: str = started["executionArn"]
    return found


def _topic(cloud: Cloud) -> None:
    cloud.aws.sns.create_topic(Name=WORKFLOW)


def _state_machine(cloud: Cloud) -> None:
    make_state_machine(cloud, WORKFLOW, definition())


def _uploads_start_it(cloud: Cloud) -> None:
    pattern = {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {
            "bucket": {"name": [NAME]},
            "object": {"key": [{"prefix": cloud.settings.workflow_prefix}]},
        },
    }
    target = {
        "Id": "workflow",
        "Arn": state_machine_arn(WORKFLOW),
        "RoleArn": role(f"{WORKFLOW}-starts"),
    }
    cloud.aws.events.put_rule(Name=WORKFLOW, EventPattern=json.dumps(pattern))
    cloud.aws.events.put_targets(Rule=WORKFLOW, Targets=[target])


FUNCTIONS: Mapping[str, str] = {
    f"{WORKFLOW}-{step}": f"handler.workflow_entry.{step}" for step in STEPS
}

STATE_MACHINES: Mapping[str, Callable[[], str]] = {WORKFLOW: definition}

RESOURCES: tuple[Resource, ...] = (
    *(
        Resource(name, partial(make_function, name=name, handler=handler))
        for name, handler in FUNCTIONS.items()
    ),
    Resource("topic of the workflow", _topic),
    Resource("state machine of the workflow", _state_machine),
    Resource("uploads → workflow", _uploads_start_it),
)
