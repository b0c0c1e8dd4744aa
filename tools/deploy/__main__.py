"""Deploy the pipeline to an AWS account, follow its log, and remove it.

    python -m tools.deploy plan       show what `deploy` would change; --out saves the plan
    python -m tools.deploy deploy     create or update everything: repository, image, function;
                                      --plan applies exactly a plan that was saved
    python -m tools.deploy tail       follow the function's log
    python -m tools.deploy destroy    delete everything, unless the bucket holds objects

Variables are set in terraform/terraform.tfvars or as TF_VAR_…. Programs, credentials and settings
are checked before anything is changed.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tools.deploy.account import Account
from tools.deploy.image import Image
from tools.deploy.prerequisites import find_all
from tools.deploy.program import Terraform
from tools.errors import ToolError
from tools.image.builders import Builder, find_builder
from tools.say import say

NO_IMAGE_YET = f"sha256:{64 * '0'}"  # digest for a plan before the first image

NOT_EMPTY = """the bucket {bucket} is not empty: {count}. Nothing has been changed.
  to keep them:          aws s3 sync s3://{bucket} FOLDER, and then
  to delete all of them: make destroy DATA=delete"""

NOTHING_TO_PLAN = """there is no repository yet, so no image that a plan could name. \
Nothing has been changed.
  to see what will be created: make plan
  to create it:                make deploy"""

DEPLOYED = """
The pipeline is deployed. Commands to copy:
  {drop_command}
  {results_command}
  {tail_command}
Dashboard: {dashboard_url}"""


def plan(options: argparse.Namespace) -> None:
    """Show what `deploy` would change; a plan that is saved has its image built first."""
    if options.out:
        _save_plan(options)
        return
    terraform, _account = find_all(Terraform.find, Account.find)
    terraform.begin()
    digest = terraform.outputs().get("image_digest")
    terraform.run("plan", image_digest=digest or NO_IMAGE_YET)
    if not digest:
        say("There is no image yet: the plan shows the digest sha256:000… instead.")


def _save_plan(options: argparse.Namespace) -> None:
    terraform, account, builder = find_all(Terraform.find, Account.find, find_builder)
    variables = terraform.begin()
    if terraform.outputs().get("repository") != variables.name:
        raise ToolError(NOTHING_TO_PLAN)
    image = Image.of_sources(variables.architecture, options.base, rebuild=options.rebuild)
    digest = _digest(terraform, account, builder, image, options)
    path = options.out.resolve()
    terraform.run("plan", f"-out={path}", image_digest=digest)
    say(f"To apply exactly this plan: make deploy PLAN={options.out}")


def deploy(options: argparse.Namespace) -> None:
    """Create or update everything, or apply a plan that was saved."""
    if options.plan:
        if options.base or options.rebuild or options.flags or options.own:
            raise ToolError("a plan names its image: BASE, REBUILD and FLAGS belong to make plan")
        terraform, account = find_all(Terraform.find, Account.find)
        terraform.begin()
        terraform.apply_plan(options.plan.resolve())
    else:
        terraform, account, builder = find_all(Terraform.find, Account.find, find_builder)
        _deploy_sources(terraform, account, builder, options)
    outputs = terraform.outputs()
    account.check_function(outputs["function"], outputs["bucket"])
    say(DEPLOYED.format_map(outputs))


def _deploy_sources(
    terraform: Terraform, account: Account, builder: Builder, options: argparse.Namespace
) -> None:
    variables = terraform.begin()
    image = Image.of_sources(variables.architecture, options.base, rebuild=options.rebuild)
    if terraform.outputs().get("repository") != variables.name:
        say("Creating the repository first: the function needs an image in it.")
        terraform.run("apply")
    terraform.run("apply", image_digest=_digest(terraform, account, builder, image, options))


def _digest(
    terraform: Terraform,
    account: Account,
    builder: Builder,
    image: Image,
    options: argparse.Namespace,
) -> str | None:
    """Digest of an image in the registry; builds and pushes it unless it is there."""
    outputs = terraform.outputs()
    repository, url = outputs["repository"], outputs["repository_url"]
    digest = account.digest(repository, image.tag)
    if digest:
        say(f"{url} already has {image.tag}: nothing to build.")
        return digest
    builder.log_in(url.partition("/")[0], "AWS", account.registry_password())
    image.build_and_push(builder, url, [*options.flags, *options.own])
    return account.digest(repository, image.tag)


def tail(_: argparse.Namespace) -> None:
    """Follow the function's log until interrupted."""
    terraform, account = find_all(Terraform.find, Account.find)
    terraform.begin()
    group = terraform.outputs().get("log_group")
    if not group:
        raise ToolError("nothing is deployed here yet: make deploy")
    account.follow(group)


def destroy(options: argparse.Namespace) -> None:
    """Delete everything; objects in the bucket only with --data delete."""
    terraform, account = find_all(Terraform.find, Account.find)
    variables = terraform.begin()
    outputs = terraform.outputs()
    bucket = outputs.get("bucket")
    count = account.contents(bucket) if bucket else ""
    if count:
        if not (variables.force_destroy or options.data == "delete"):
            raise ToolError(NOT_EMPTY.format(bucket=bucket, count=count))
        # Terraform reads force_destroy from the state, so it has to be applied first.
        terraform.run("apply", image_digest=outputs.get("image_digest"), force_destroy="true")
    terraform.run("destroy", image_digest=outputs.get("image_digest"))


COMMANDS: dict[str, Callable[[argparse.Namespace], None]] = {
    "plan": plan,
    "deploy": deploy,
    "tail": tail,
    "destroy": destroy,
}


def _words(text: str) -> list[str]:
    """Split a text as a shell does."""
    try:
        return shlex.split(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(f"{text!r}: {exc}") from exc


def _fill_build(command: argparse.ArgumentParser) -> None:
    """Add what says how the image is built."""
    command.add_argument("--base", help="a different base image with Python 3.13, by digest")
    command.add_argument(
        "--rebuild", action="store_true", help="build the image even if nothing has changed"
    )
    command.add_argument(
        "--flags", type=_words, default=[], help="flags for the builder, as one text"
    )
    command.add_argument(
        "own", nargs="*", metavar="-- FLAG", help="flags for the builder, one by one"
    )


def parsed(words: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.deploy", description="Deploy the pipeline to an AWS account."
    )
    commands = parser.add_subparsers(title="commands", dest="command", required=True)
    for name, run in COMMANDS.items():
        summary = (run.__doc__ or "").split("\n")[0]
        command = commands.add_parser(name, help=summary, description=summary)
        command.set_defaults(run=run)
        if run is plan:
            command.add_argument(
                "--out", type=Path, metavar="FILE", help="save the plan, for `deploy --plan FILE`"
            )
        if run is deploy:
            command.add_argument(
                "--plan", type=Path, metavar="FILE", help="apply exactly this plan, build nothing"
            )
        if run in (plan, deploy):
            _fill_build(command)
        if run is destroy:
            command.add_argument(
                "--data",
                choices=("keep", "delete"),
                default="keep",
                help="what to do with objects in the bucket",
            )
    return parser.parse_args(words)


def main(words: Sequence[str]) -> int:
    """Run a command. Exit codes: 0, 1 failure, 2 wrong usage, 130 interrupted."""
    options = parsed(words)
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  (not needed for help)

    try:
        options.run(options)
    except (ToolError, BotoCoreError, ClientError) as exc:
        say(f"{options.command}: {exc}")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
