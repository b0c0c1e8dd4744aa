"""A stand-in for S3 Batch Operations: requests and answers are held against botocore's own model.

It is a server that parses a request by the model of the operation, refuses what the model does not
allow, and keeps the jobs. It runs none of them: a test says how far each is.
"""

from __future__ import annotations

import contextlib
import re
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import botocore.session
from botocore.validate import ParamValidator

from tests.support.cloud import Request, serving

NAMESPACE = "http://awss3control.amazonaws.com/doc/2018-08-20/"
Json = dict[str, Any]


class S3Control:
    """Jobs by their ID, and the requests that created them."""

    def __init__(self) -> None:
        self.model = botocore.session.Session().get_service_model("s3control")
        self.requests: list[Json] = []
        self.jobs: dict[str, Json] = {}

    def answer(self, request: Request) -> None:
        """Answer a request for creating or describing a job."""
        size = int(request.headers.get("Content-Length", 0))
        body = request.rfile.read(size)
        account = request.headers["x-amz-account-id"]
        path = urlsplit(request.path).path
        if request.command == "POST" and path == "/v20180820/jobs":
            self._reply(request, "CreateJob", self._create(body, account))
        elif found := re.fullmatch("/v20180820/jobs/([^/]+)", path):
            self._reply(request, "DescribeJob", {"Job": self.jobs[found[1]]})
        else:
            request.send_error(404)

    def _create(self, body: bytes, account: str) -> Json:
        shape = self.model.operation_model("CreateJob").input_shape
        told = {**self._parsed(ET.fromstring(body), shape), "AccountId": account}  # noqa: S314  (our own)
        report = ParamValidator().validate(told, shape)
        assert not report.has_errors(), report.generate_report()
        self.requests.append(told)
        for job, known in zip(self.jobs, self.requests, strict=False):
            if known["ClientRequestToken"] == told["ClientRequestToken"]:
                return {"JobId": job}
        job = str(uuid.uuid4())
        kept = ("Operation", "Report", "Priority", "RoleArn", "Manifest", "ManifestGenerator")
        self.jobs[job] = {
            "JobId": job,
            "Status": "Active",
            "Description": told["Description"],
            **{name: told[name] for name in kept if name in told},
        }
        return {"JobId": job}

    def _parsed(self, element: ET.Element, shape: Any) -> Any:
        """What an element says, by the model; anything that the model does not have is an error."""
        kind = shape.type_name
        if kind == "structure":
            names = {
                member.serialization.get("name", name): name
                for name, member in shape.members.items()
            }
            found = {_tag(child): child for child in element}
            assert found.keys() <= names.keys(), found.keys() - names.keys()
            return {
                names[tag]: self._parsed(child, shape.members[names[tag]])
                for tag, child in found.items()
            }
        if kind == "list":
            return [self._parsed(child, shape.member) for child in element]
        if kind == "map":
            pairs = [{_tag(part): part.text or "" for part in child} for child in element]
            return {pair["key"]: pair["value"] for pair in pairs}
        text = element.text or ""
        if kind == "boolean":
            return text == "true"
        return int(text) if kind in ("integer", "long") else text

    def _reply(self, request: Request, operation: str, told: Json) -> None:
        shape = self.model.operation_model(operation).output_shape
        root = ET.Element(f"{operation}Result", xmlns=NAMESPACE)
        self._write(root, told, shape)
        body = ET.tostring(root)
        request.send_response(200)
        request.send_header("Content-Type", "application/xml")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def _write(self, element: ET.Element, told: Any, shape: Any) -> None:
        """Write a value by the model; what the model does not have is an error."""
        kind = shape.type_name
        if kind == "structure":
            for name, value in told.items():
                member = shape.members[name]
                child = ET.SubElement(element, member.serialization.get("name", name))
                self._write(child, value, member)
        elif kind == "list":
            for value in told:
                name = shape.member.serialization.get("name", "member")
                self._write(ET.SubElement(element, name), value, shape.member)
        elif kind == "map":
            for key, value in told.items():
                entry = ET.SubElement(element, "entry")
                ET.SubElement(entry, "key").text = key
                ET.SubElement(entry, "value").text = value
        else:
            element.text = str(told).lower() if kind == "boolean" else str(told)


def _tag(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


@contextlib.contextmanager
def batch_operations() -> Iterator[tuple[S3Control, str]]:
    """Run the stand-in; itself and its URL."""
    control = S3Control()
    with serving(control.answer) as url:
        yield control, url
