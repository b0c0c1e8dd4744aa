"""Stand the pipeline up in an AWS account, watch it, and take it down: what `make` runs.

    python -m tools.deploy plan       show what `deploy` would change
    python -m tools.deploy deploy     repository, image, function: all of it, as often as wished
    python -m tools.deploy tail       the function's log, as it comes
    python -m tools.deploy destroy    all of it away; a bucket that is not empty is refused

Variables are set in terraform/terraform.tfvars or as TF_VAR_…. Nothing is changed before programs,
credentials and settings have been found to be in order.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable, Sequence

from tools.deploy.account import Account
from tools.deploy.faults import Fault, all_of, say
from tools.deploy.image import Builder, Image
from tools.deploy.program import Terraform

STAND_IN = f"sha256:{64 * '0'}"  # for a plan before there is an image

NOT_EMPTY = """the bucket {bucket} is not empty: {count}. Nothing has been changed.
  to keep them:          aws s3 sync s3://{bucket} FOLDER, and then
  to delete all of them: make destroy DATA=delete"""

RUNS = """
It runs. To be pasted into a shell:
  {drop_command}
  {results_command}
  {tail_command}
Dashboard: {dashboard_url}"""


def plan(_: argparse.Namespace) -> None:
    """Show what `deploy` would change; no image is built for that."""
    terraform, _account = all_of(Terraform.find, Account.find)
    terraform.begin()
    digest = terraform.outputs().get("image_digest")
    terraform.run("plan", image_digest=digest or STAND_IN)
    if not digest:
        say("There is no image yet: the plan is made with one that is called sha256:000… for now.")


def deploy(options: argparse.Namespace) -> None:
    """Make everything be as the files and the settings say."""
    terraform, account, builder = all_of(Terraform.find, Account.find, Builder.find)
    wishes = terraform.begin()
    image = Image.of_sources(wishes.architecture, options.base, anew=options.rebuild)
    if terraform.outputs().get("repository") != wishes.name:
        say("First the repository, since a function needs an image that is in it.")
        terraform.run("apply")
    outputs = terraform.outputs()
    repository, url = outputs["repository"], outputs["repository_url"]
    digest = account.digest(repository, image.tag)
    if digest:
        say(f"{url} has {image.tag} already, there is nothing to build.")
    else:
        builder.log_in(url, account.registry_password())
        builder.push(image, url, [*options.flags, *options.own])
        digest = account.digest(repository, image.tag)
    terraform.run("apply", image_digest=digest)
    outputs = terraform.outputs()
    account.try_function(outputs["function"])
    say(RUNS.format_map(outputs))


def tail(_: argparse.Namespace) -> None:
    """Show the function's log until somebody interrupts."""
    terraform, account = all_of(Terraform.find, Account.find)
    terraform.begin()
    group = terraform.outputs().get("log_group")
    if not group:
        raise Fault("nothing is deployed here yet: make deploy")
    account.follow(group)


def destroy(options: argparse.Namespace) -> None:
    """Take everything away; images and results only where that is said."""
    terraform, account = all_of(Terraform.find, Account.find)
    wishes = terraform.begin()
    outputs = terraform.outputs()
    bucket = outputs.get("bucket")
    count = account.contents(bucket) if bucket else ""
    if count:
        if not (wishes.force_destroy or options.data == "delete"):
            raise Fault(NOT_EMPTY.format(bucket=bucket, count=count))
        # What counts is how the bucket was last applied, not how it is destroyed.
        terraform.run("apply", image_digest=outputs.get("image_digest"), force_destroy="true")
    terraform.run("destroy", image_digest=outputs.get("image_digest"))


COMMANDS: dict[str, Callable[[argparse.Namespace], None]] = {
    "plan": plan,
    "deploy": deploy,
    "tail": tail,
    "destroy": destroy,
}


def _words(text: str) -> list[str]:
    """Words of a text, told apart as a shell does."""
    try:
        return shlex.split(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(f"{text!r}: {exc}") from exc


def parsed(words: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.deploy", description="The pipeline in an AWS account."
    )
    commands = parser.add_subparsers(title="commands", dest="command", required=True)
    for name, run in COMMANDS.items():
        summary = (run.__doc__ or "").split("\n")[0]
        command = commands.add_parser(name, help=summary, description=summary)
        command.set_defaults(run=run)
        if run is deploy:
            command.add_argument("--base", help="another base image with Python 3.13, by digest")
            command.add_argument(
                "--rebuild", action="store_true", help="build even what has not changed"
            )
            command.add_argument("--flags", type=_words, default=[], help="flags for the builder")
            command.add_argument("own", nargs="*", metavar="-- FLAG", help="the same, as they are")
        if run is destroy:
            command.add_argument(
                "--data", choices=("keep", "delete"), default="keep", help="what is in the bucket"
            )
    return parser.parse_args(words)


def main(words: Sequence[str]) -> int:
    """Run a command and return its exit code: 0, 1 it failed, 2 wrong usage, 130 interrupted."""
    options = parsed(words)
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  (help is quick)

    try:
        options.run(options)
    except (Fault, BotoCoreError, ClientError) as exc:
        say(f"{options.command}: {exc}")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
