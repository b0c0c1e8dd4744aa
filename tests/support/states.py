"""A state machine in this process: interprets a definition step by step, in any interleaving.

It knows what the definitions in ``terraform/state_machines`` use of the Amazon States Language:
Pass, Task, Parallel, Choice, Wait, Succeed and Fail, paths, and a few intrinsic functions. Waits
and pauses between retries take no time. Anything else is an error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
Call = Callable[[str, Any], Any]  # the resource or function, and its payload

_MISSING = object()


class StateError(Exception):
    """An error of a state, by the name that Retry and Catch match."""

    def __init__(self, name: str, cause: str) -> None:
        super().__init__(f"{name}: {cause}")
        self.name, self.cause = name, cause


@dataclass
class Ended:
    """How an execution ended: in which state, with which output or error."""

    status: str
    state: str
    output: Any = None
    error: StateError | None = None


@dataclass
class Machine:
    """A definition, and what its tasks call. ``largest`` is the largest payload so far."""

    definition: Json
    call: Call
    largest: int = 0
    entered: list[str] = field(default_factory=list)

    def run(self, given: Any, name: str = "execution") -> Generator[str, None, Ended]:
        """Run an execution; yields the name of each task before it is called."""
        context = {"Execution": {"Name": name}, "State": {}}
        try:
            state, output = yield from self._run(self.definition, given, context)
        except StateError as exc:
            return Ended("FAILED", self.entered[-1], error=exc)
        return Ended("SUCCEEDED", state, output)

    def finish(self, given: Any, name: str = "execution") -> Ended:
        """Run an execution to its end."""
        steps = self.run(given, name)
        while True:
            try:
                next(steps)
            except StopIteration as exc:
                ended: Ended = exc.value
                return ended

    def _run(
        self, machine: Json, given: Any, context: Json
    ) -> Generator[str, None, tuple[str, Any]]:
        name, data = machine["StartAt"], given
        while True:
            state = machine["States"][name]
            self.entered.append(name)
            self._measure(data)
            match state["Type"]:
                case "Succeed":
                    return name, data
                case "Fail":
                    raise StateError(state["Error"], state["Cause"])
                case "Choice":
                    name = self._chosen(state, data)
                    continue
            try:
                data = yield from self._state(state, name, data, context)
            except StateError as exc:
                catcher = next((c for c in state.get("Catch", ()) if _matches(c, exc)), None)
                if catcher is None:
                    raise
                told = {"Error": exc.name, "Cause": exc.cause}
                data, name = _placed(data, catcher["ResultPath"], told), catcher["Next"]
                continue
            if state.get("End"):
                return name, data
            name = state["Next"]

    def _state(self, state: Json, name: str, data: Any, context: Json) -> Generator[str, None, Any]:
        if state["Type"] == "Wait":
            assert isinstance(found(state["SecondsPath"], data, context), int)
            return data
        tried: dict[int, int] = {}
        while True:
            context["State"] = {"Name": name, "RetryCount": sum(tried.values())}
            given = filled(state["Parameters"], data, context) if "Parameters" in state else data
            try:
                result = yield from self._result(state, name, given, context)
            except StateError as exc:
                retriers = enumerate(state.get("Retry", ()))
                found_one = next((pair for pair in retriers if _matches(pair[1], exc)), None)
                if found_one is None or tried.get(found_one[0], 0) >= found_one[1]["MaxAttempts"]:
                    raise
                at = found_one[0]
                tried[at] = tried.get(at, 0) + 1
                continue
            self._measure(result)
            if "ResultSelector" in state:
                result = filled(state["ResultSelector"], result, context)
            output = _placed(data, state.get("ResultPath", "$"), result)
            return found(state.get("OutputPath", "$"), output, context)

    def _result(
        self, state: Json, name: str, given: Any, context: Json
    ) -> Generator[str, None, Any]:
        match state["Type"]:
            case "Pass":
                return given
            case "Parallel":
                results = []
                for branch in state["Branches"]:
                    _, output = yield from self._run(branch, given, context)
                    results.append(output)
                return results
            case "Task":
                self._measure(given)
                yield name
                return self._called(state["Resource"], given)
        raise AssertionError(f"{name}: unknown type {state['Type']}")

    def _called(self, resource: str, given: Json) -> Any:
        is_function = resource.endswith("lambda:invoke")
        target = given["FunctionName"] if is_function else resource
        payload = json.loads(json.dumps(given["Payload"] if is_function else given))
        try:
            answer = self.call(target, payload)
        except Exception as exc:
            name = type(exc).__name__
            cause = json.dumps({"errorMessage": str(exc), "errorType": name})
            raise StateError(name, cause) from exc
        answer = json.loads(json.dumps(answer))
        return {"StatusCode": 200, "Payload": answer} if is_function else answer

    def _chosen(self, state: Json, data: Any) -> str:
        rules = (rule["Next"] for rule in state["Choices"] if _holds(rule, data))
        return str(next(rules, state["Default"]))

    def _measure(self, data: Any) -> None:
        self.largest = max(self.largest, len(json.dumps(data).encode()))


def _matches(rule: Json, error: StateError) -> bool:
    return error.name in rule["ErrorEquals"] or "States.ALL" in rule["ErrorEquals"]


def _holds(rule: Json, data: Any) -> bool:
    if "Not" in rule:
        return not _holds(rule["Not"], data)
    value = found(rule["Variable"], data, {})
    tests: Mapping[str, Callable[[Any], bool]] = {
        "BooleanEquals": lambda wanted: value is wanted,
        "StringEquals": lambda wanted: bool(value == wanted),
        "NumericGreaterThanEquals": lambda wanted: bool(value >= wanted),
    }
    (name,) = rule.keys() - {"Variable", "Next"}
    return tests[name](rule[name])


def _placed(data: Any, path: str | None, result: Any) -> Any:
    """The input of a state with its result in the place that ``ResultPath`` names."""
    if path is None:
        return data
    if path == "$":
        return result
    return {**data, path.removeprefix("$."): result}


def found(path: str, data: Any, context: Json) -> Any:
    """The value at a path such as ``$.a.b`` or ``$$.State.Name``."""
    value = context if path.startswith("$$") else data
    for part in filter(None, path.lstrip("$").split(".")):
        value = value.get(part, _MISSING) if isinstance(value, dict) else _MISSING
        if value is _MISSING:
            raise StateError("States.ParameterPathFailure", path)
    return value


def filled(template: Any, data: Any, context: Json) -> Any:
    """A template with its paths and intrinsic functions replaced by their values."""
    if isinstance(template, list):
        return [filled(each, data, context) for each in template]
    if not isinstance(template, dict):
        return template
    return {
        key.removesuffix(".$"): _evaluated(value, data, context)
        if key.endswith(".$")
        else filled(value, data, context)
        for key, value in template.items()
    }


def _evaluated(text: str, data: Any, context: Json) -> Any:
    text = text.strip()
    call = re.fullmatch(r"States\.(\w+)\((.*)\)", text)
    if not call:
        return found(text, data, context) if text.startswith("$") else json.loads(text)
    values = [_evaluated(each, data, context) for each in _arguments(call[2])]
    functions: dict[str, Callable[..., Any]] = {
        "Array": lambda *items: list(items),
        "ArrayGetItem": lambda items, at: items[at],
        "JsonToString": json.dumps,
        "MathAdd": lambda one, other: one + other,
    }
    return functions[call[1]](*values)


def _arguments(text: str) -> list[str]:
    """Split at commas that are not inside parentheses."""
    parts, depth = [""], 0
    for character in text:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return parts
