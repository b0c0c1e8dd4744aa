"""The contents of the images."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

import fft_tool
from tests.support.container import Image, call
from tests.support.image_builds import ROOT, script

pytest_plugins = ["tests.support.image_builds_fixtures"]
pytestmark = pytest.mark.slow

LARGEST = 320  # MB that the image may add to its base
SECRETS = ("stray-file-of-a-developer", "not-for-any-layer", "secret-of-git")


def test_it_runs_as_an_unprivileged_user(image: Image) -> None:
    number, _, group = image.config["User"].partition(":")
    code = "import os; print(os.getuid(), os.getgid(), *set(os.getgroups()) - {os.getgid()})"
    assert image.python(code) == [f"{number} {group}"]
    assert int(number) > 999  # numeric, so that a platform can verify that it is not root


def test_its_root_is_read_only_here_even_for_root(image: Image) -> None:
    """What works here therefore works where only /tmp is writable."""
    code = """
import errno
for place in ("/", "/opt/venv", "/var/task", "/var/task/fft_tool", "/etc", "/usr/local/bin"):
    try:
        open(f"{place}/new", "w")
    except OSError as exc:
        print(errno.errorcode[exc.errno])
    else:
        print("written")
"""
    assert image.python(code, user="0:0") == ["EROFS"] * 6


def test_its_user_can_write_only_to_temporary_folders(image: Image) -> None:
    code = """
import os
for folder, folders, files in os.walk("/"):
    folders[:] = [name for name in folders if os.path.join(folder, name) not in ("/proc", "/sys")]
    for name in (".", *files):
        path = os.path.join(folder, name)
        about = os.lstat(path)
        everybody = about.st_mode & 0o002 and not os.path.islink(path)
        if everybody and not about.st_mode & 0o1000 or about.st_uid == os.getuid():
            print(path)
"""
    found = [path for path in image.python(code) if not path.startswith("/dev/")]
    assert found == []


def test_all_modules_are_precompiled(image: Image) -> None:
    """Every module has bytecode, including the standard library, whose bytecode bases lack."""
    code = """
import os, sys
import awslambdaric.bootstrap, handler.entry, handler.workflow_entry, fft_tool.stores.s3_boto3
for name, module in sorted(sys.modules.items()):
    spec = getattr(module, "__spec__", None)
    if spec and spec.origin and spec.origin.endswith(".py") and not os.path.exists(spec.cached):
        print(name)
"""
    assert image.python(code) == []


def test_only_the_compiled_transforms_of_scipy_remain(
    image: Image, cli: Image, service: Image
) -> None:
    code = "from fft_tool.spectrum.kernel import kernel; print(kernel().__file__)"
    for one in (image, cli, service):
        assert re.search(r"/scipy/fft/\w+/py\w+fft\.[\w-]+\.so$", one.python(code)[0])


ABSENT = [
    *("cc", "gcc", "c++", "ld", "make", "pip", "pip3", "git", "curl", "wget", "f2py"),
    *("numpy-config", "jp.py"),
]


def test_there_are_no_tools_to_build_install_or_download(
    image: Image, cli: Image, service: Image, local_aws: Image
) -> None:
    code = f"""
import importlib.util, shutil, sys
print(*[name for name in {ABSENT} if shutil.which(name)])
print(*[name for name in ("pip", "ensurepip", "setuptools") if importlib.util.find_spec(name)])
"""
    for one in (image, cli, service, local_aws):
        assert one.python(code) == ["", ""]
        done = one.run(
            "-c", "$(readlink -f /opt/venv/bin/python) -I -", entry=["sh"], stdin=code.encode()
        )
        assert done.lines == ["", ""], done.err  # the base's own


def files(image: Image) -> list[str]:
    """All files in the folders that the build writes to, or where it may leave files behind."""
    code = """
import os
for root in ("/opt", "/var/task", "/build", "/run", "/root", "/home", "/usr/local", "/tmp"):
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = os.path.join(folder, name)
            print(oct(os.lstat(path).st_mode)[-3:], path)
"""
    return image.python(code, user="0:0")


def test_there_are_no_tests_c_sources_or_temporary_files(
    image: Image, cli: Image, service: Image
) -> None:
    unwanted = re.compile(
        r"/(tests?|conftest\.py|local|secrets|\.cache|\.env|prune\.py|install\.sh|tests?/.*"
        r"|[^/]+\.(pyi|pyx|pxd|h|c|a|whl|pyc\.\d+))$"
    )
    for one in (image, cli, service):
        found = [line for line in files(one) if unwanted.search(line)]
        ours = [line for line in found if "/usr/local/lib/python" not in line]  # the base's
        assert ours == []


def test_every_licence_is_there(image: Image) -> None:
    paths = [line.split(" ", 1)[1] for line in files(image)]
    packages = {path for path in paths if path.endswith(".dist-info")}
    assert len(packages) == len(locked("docker/requirements.txt"))
    assert "/var/task/LICENSE" in paths
    for package in packages:
        names = [path.lower() for path in paths if path.startswith(package)]
        assert any(re.search(r"licen[cs]e|copying|notice|/metadata", name) for name in names)


def test_the_project_is_readable_by_all_whatever_the_modes_of_its_sources(image: Image) -> None:
    ours = [line.split(" ", 1) for line in files(image) if re.search(r" /(opt|var)/", line)]
    assert len(ours) > 1000
    assert {mode for mode, _ in ours} <= {"755", "644", "777"}  # 777: links


@pytest.fixture(scope="module")
def archive(image: Image, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The image as a file."""
    archive = tmp_path_factory.mktemp("archive") / "image.tar"
    image.save(archive)
    return archive


def test_no_layer_contains_stray_files_or_build_secrets(archive: Path) -> None:
    data = archive.read_bytes()
    for text in SECRETS:
        assert data.find(text.encode()) == -1, text


def test_labels_describe_the_image_and_its_origin(image: Image, context: Path) -> None:
    names = ["title", "description", "version", "revision", "source", "licenses", "base.name"]
    labels = {name: image.config["Labels"][f"org.opencontainers.image.{name}"] for name in names}
    commit = call(["git", "-C", str(context), "rev-parse", "HEAD"], os.environ).strip()
    assert labels["title"] == "fft-pipeline"
    assert labels["version"] == fft_tool.__version__
    assert labels["revision"] == commit
    assert labels["source"] == "https://git.example/team/pipeline"
    assert labels["licenses"] == "MIT"
    assert labels["description"]
    assert labels["base.name"]


@pytest.fixture(scope="module")
def tables(archive: Path) -> dict[str, list[str]]:
    """The output of ``make image-size``: cells by the first cell of their row."""
    done = script("-m", "tools.image.size", archive)
    assert done.returncode == 0, done.stderr
    rows = (line.strip("| ").split(" | ") for line in done.stdout.splitlines() if line)
    return {row[0]: [cell.strip() for cell in row[1:]] for row in rows}


def test_the_size_added_to_the_base_is_within_the_limit(tables: dict[str, list[str]]) -> None:
    assert float(tables["**added to the base**"][0]) <= LARGEST


def test_the_page_on_the_image_shows_its_size(tables: dict[str, list[str]]) -> None:
    page = (ROOT / "docs" / "image.md").read_text("utf-8")
    (shown,) = re.findall(r"^\| \*\*added to the base\*\* \| ([\d.]+) ", page, re.MULTILINE)
    measured = float(tables["**added to the base**"][0])
    assert float(shown) == pytest.approx(measured, rel=0.05), "make image-size, into the page"


def locked(name: str) -> dict[str, str]:
    """Packages and versions of a lock file."""
    text = (ROOT / name).read_text("utf-8")
    pinned = re.findall(r"^([a-z0-9-]+)==(\S+)(.*)", text, re.MULTILINE)
    return {
        package: version
        for package, version, rest in pinned
        if not re.search(r"< '3\.1|'3\.13'|win32", rest)
    }


def test_its_packages_have_the_locked_versions(image: Image) -> None:
    """The same versions as elsewhere: others might give different bytes."""
    elsewhere = locked("requirements.txt") | locked("tests/requirements.txt")
    here = locked("docker/requirements.txt")
    assert here.items() <= elsewhere.items()
    code = (
        "import importlib.metadata as m; print(*sorted(d.name.lower() for d in m.distributions()))"
    )
    names = {name.replace("_", "-") for name in image.python(code)[0].split()}
    assert here.keys() <= names
    assert not names & {"rich", "setuptools", "pytest"}
