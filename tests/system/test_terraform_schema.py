"""Arguments and blocks exist in the provider, as far as that can be checked without it."""

from __future__ import annotations

import pytest

from tests.system.terraform.files import FOLDER, Block, blocks, read
from tests.system.terraform.schema import SCHEMA, faults

FOLDERS = [FOLDER, *sorted(path.parent for path in FOLDER.glob("examples/*/main.tf"))]
OF_AWS = [
    pytest.param(block, id=f"{folder.name}: {block.address}")
    for folder in FOLDERS
    for block in blocks(folder)
    if block.kind in ("resource", "data")
]


def test_there_is_something_to_check() -> None:
    assert len(OF_AWS) > 30
    assert SCHEMA["version"].startswith("6.")


@pytest.mark.parametrize("block", OF_AWS)
def test_a_block_has_the_arguments_of_the_provider(block: Block) -> None:
    assert not list(faults(block))


def faults_of(text: str) -> list[str]:
    return [fault for block in read(text) for fault in faults(block)]


def test_an_argument_that_does_not_exist_is_found() -> None:
    assert faults_of('resource "aws_s3_bucket" "b" {\n  buket = "x"\n}\n') == [
        "aws_s3_bucket.b: there is no buket"
    ]


def test_an_argument_that_is_missing_is_found() -> None:
    assert faults_of('resource "aws_s3_bucket_policy" "b" {\n  bucket = "x"\n}\n') == [
        "aws_s3_bucket_policy.b: policy is missing"
    ]


def test_faults_inside_blocks_are_found() -> None:
    text = """
resource "aws_s3_bucket_versioning" "b" {
  bucket = "x"
  versioning_configuration {
    enabled = true
  }
}
"""
    assert faults_of(text) == [
        "aws_s3_bucket_versioning.b.versioning_configuration: there is no enabled",
        "aws_s3_bucket_versioning.b.versioning_configuration: status is missing",
    ]


def test_faults_inside_dynamic_blocks_are_found() -> None:
    text = """
resource "aws_s3_bucket_notification" "b" {
  bucket = "x"
  dynamic "queue" {
    for_each = var.suffixes
    content {
      queue_arn = "x"
      suffix    = queue.value
    }
  }
}
"""
    assert faults_of(text) == [
        "aws_s3_bucket_notification.b.queue: there is no suffix",
        "aws_s3_bucket_notification.b.queue: events is missing",
    ]


def test_a_type_that_is_not_in_the_schema_is_found() -> None:
    (fault,) = faults_of('resource "aws_s3_bukkit" "b" {\n}\n')
    assert "aws_s3_bukkit is not in schema.json" in fault
