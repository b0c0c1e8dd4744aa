"""Completion scripts for bash, zsh and fish, generated from the parsers of all commands.

A script is static: pressing Tab starts no Python. Where a value is not one of a few words, the
shell completes names of files, as it does without a script.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files

from fft_tool.cli.parser import Parser
from fft_tool.limits import FORMATS
from fft_tool.operations.registry import OPERATIONS
from fft_tool.recipe import BACKGROUNDS, KEYS
from fft_tool.results.naming import EXTENSIONS

# Words that values consist of or begin with; a word that ends in a colon is to be continued.
_WORDS: dict[str, tuple[str, ...]] = {
    "--artifact": tuple(EXTENSIONS),
    "--background": tuple(BACKGROUNDS),
    "--engine": ("batch", "map", "dask"),
    "--crop": ("square", "centre:", "pct:", "none"),
    "--filter": ("lowpass:", "highpass:", "bandpass:", "notch:", "stripe:", "mask:", "none"),
    "--formats": FORMATS,
    "--frames": ("all",),
    "--from": ("pictures", "spectrum"),
    "--operations": tuple(
        f"{each.name}:" if each.form.startswith(f"{each.name}:") else each.name
        for each in OPERATIONS.values()
    ),
    "--threshold": ("mid", "otsu"),
    "SHELL": ("bash", "zsh", "fish"),
}
_WORDS |= {f"--{key.name}": key.value_type.choices for key in KEYS if key.value_type.choices}

# Flags that take several words, and the separator between them.
_JOINED = {"--filter": "+", "--formats": ",", "--operations": ","}

# Flags whose values are paths.
_PATHS = (*("--failures", "--keys", "--output", "--plot", "--sources", "--table", "--terraform"),)


@dataclass(frozen=True, slots=True)
class _Option:
    """A flag with all its names; ``value`` says whether it takes a value."""

    names: tuple[str, ...]
    help: str
    value: bool

    @property
    def words(self) -> tuple[str, ...]:
        return _WORDS.get(self.names[-1], ()) if self.value else ()

    @property
    def path(self) -> bool:
        return self.names[-1] in _PATHS


@dataclass(frozen=True, slots=True)
class _Command:
    name: str
    help: str
    options: tuple[_Option, ...]
    arguments: tuple[str, ...]  # the name of each

    @property
    def words(self) -> tuple[str, ...]:
        """Words that its arguments are chosen from, if they are not paths."""
        return tuple(word for name in self.arguments for word in _WORDS.get(name, ()))


def script(shell: str, parser: Parser) -> str:
    """Completion script for a shell."""
    commands = [_command(name, each) for name, each in parser.commands.items()]
    template = files("fft_tool.cli").joinpath(f"completion.{shell}").read_text("utf-8")
    made = {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell](commands)
    return template.replace("# @COMMANDS@\n", "".join(f"{line}\n" for line in made))


def _command(name: str, parser: Parser) -> _Command:
    options, arguments = [], []
    for action in parser._actions:  # noqa: SLF001  (argparse has no other way to them)
        text = (action.help or "").replace("%%", "%")
        if not action.option_strings:
            arguments.append(str(action.metavar or action.dest))
        elif isinstance(action, argparse.BooleanOptionalAction):
            options += [_Option((flag,), text, value=False) for flag in action.option_strings]
        else:
            names, value = tuple(action.option_strings), action.nargs != 0
            options.append(_Option(names, text, value))
    summary = (parser.description or "").removesuffix(".")
    return _Command(name, summary, tuple(options), tuple(arguments))


def _bash(commands: list[_Command]) -> Iterator[str]:
    yield f"_fft_tool_commands='{' '.join(each.name for each in commands)}'"
    yield "_fft_tool_flags() {"
    yield "    case $1 in"
    for each in commands:
        names = " ".join(name for option in each.options for name in option.names)
        yield f"        {each.name}) flags='{names}' words='{' '.join(each.words)}' ;;"
    yield "    esac"
    yield "}"
    yield "_fft_tool_values() {"
    yield "    case $1 in"
    for option in _distinct(commands):
        joined = _JOINED.get(option.names[-1], "")
        what = f"words='{' '.join(option.words)}' joined='{joined}'"
        kind = "path" if option.path else "words" if option.words else "text"
        yield f"        {'|'.join(option.names)}) kind={kind} {what} ;;"
    yield "        *) return 1 ;;"
    yield "    esac"
    yield "}"


def _distinct(commands: list[_Command]) -> Iterator[_Option]:
    """Options that take a value, each once: a flag means the same in all commands."""
    seen = {option.names: option for each in commands for option in each.options if option.value}
    yield from seen.values()


def _zsh(commands: list[_Command]) -> Iterator[str]:
    yield "_fft_tool_commands=("
    for each in commands:
        yield f"    {_quoted(f'{each.name}:{each.help}')}"
    yield ")"
    yield "_fft_tool_arguments() {"
    yield "    case $1 in"
    for each in commands:
        yield f"        {each.name}) _arguments -s -S \\"
        for option in each.options:
            yield f"            {_zsh_option(option)} \\"
        action = f"({' '.join(each.words)})" if each.words else "_files"
        yield f"            {_quoted('*:' + each.arguments[0].replace(':', ' ') + ':' + action)} ;;"
    yield "    esac"
    yield "}"


def _zsh_option(option: _Option) -> str:
    about = option.help
    for sign in "\\[]:":
        about = about.replace(sign, f"\\{sign}")
    specs = []
    for name in option.names:
        text = f"[{about}]"
        if not option.value:
            specs.append(_quoted(f"{name}{text}"))
            continue
        words = " ".join(word.replace(":", "\\:") for word in option.words)
        joined = _JOINED.get(option.names[-1], "")
        # A space in front keeps _arguments from adding options of its own.
        action = f" _fft_tool_words {joined or '-'} {words}" if words else " "
        action = "_files" if option.path else action
        equals = "=" if name.startswith("--") else ""
        specs.append(_quoted(f"{name}{equals}{text}:{option.names[-1].lstrip('-')}:{action}"))
    return " ".join(specs)


def _fish(commands: list[_Command]) -> Iterator[str]:
    for each in commands:
        yield (
            "complete -c fft-tool -n __fish_use_subcommand -f "
            f"-a {each.name} -d {_fish_quoted(each.help)}"
        )
    for each in commands:
        start = f"complete -c fft-tool -n '__fish_seen_subcommand_from {each.name}'"
        yield f"{start} -f -a '{' '.join(each.words)}'" if each.words else f"{start} -F"
        for option in each.options:
            yield f"{start}{_fish_option(option)} -d {_fish_quoted(option.help)}"


def _fish_option(option: _Option) -> str:
    names = "".join(
        f" -l {name[2:]}" if name.startswith("--") else f" -s {name[1:]}" for name in option.names
    )
    if not option.value:
        return names
    if option.path:
        return f"{names} -r -F"
    if joined := _JOINED.get(option.names[-1]):
        return f"{names} -x -a \"(__fft_tool_joined '{joined}' {' '.join(option.words)})\""
    return f"{names} -x" + (f" -a '{' '.join(option.words)}'" if option.words else "")


def _quoted(text: str) -> str:
    """Quote for bash and zsh."""
    return "'" + text.replace("'", "'\\''") + "'"


def _fish_quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
