"""Sections of a record: dataclasses whose fields are described in their metadata.

The metadata of a field hold its description, unit, name in JSON and JSON Schema constraints. The
schema, the page in the documentation and the table's columns are generated from them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any, ClassVar, Self, TypeVar, dataclass_transform, get_args

from fft_tool.validate import Json

SCHEMA_NAME = "fft-tool/record/1"
"""Name and version of the record's schema."""

T = TypeVar("T", bound="Section")


def described(
    description: str,
    *,
    unit: str = "",
    name: str = "",
    optional: bool = False,
    together: str = "",
    **constraints: Any,
) -> Any:
    """Declare a field of a section.

    ``unit`` is the unit of the value; ``name`` is its key in JSON, if that differs from the field's
    name. An ``optional`` field is omitted if it is None. Optional fields with the same value of
    ``together`` are either all present or all absent. All other arguments are JSON Schema keywords,
    such as ``minimum``.
    """
    left_out = optional or bool(together)
    metadata = {
        "description": description,
        "unit": unit,
        "name": name,
        "optional": left_out,
        "together": together,
        "constraints": constraints,
    }
    return field(metadata=metadata, default=None) if left_out else field(metadata=metadata)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(described,))
def section(cls: type[T]) -> type[T]:
    """Turn a class into a frozen, keyword-only dataclass, without the slower-to-define extras."""
    return dataclass(frozen=True, kw_only=True, repr=False, eq=False)(cls)


class Section:
    """A part of a record."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Build a section, and nested ones, from plain values with the keys of the record."""
        known = {key_of(each): each for each in fields(cls)}
        if unknown := values.keys() - known.keys():
            raise TypeError(f"{cls.__name__} has no {', '.join(sorted(unknown))}")
        return cls(**{known[key].name: _typed(known[key], each) for key, each in values.items()})

    def to_json(self) -> Json:
        """Plain values, in the order of the fields."""
        return dict(self._entries())

    def _entries(self) -> Iterator[tuple[str, Any]]:
        for each in fields(self):
            value = getattr(self, each.name)
            if value is not None or not each.metadata["optional"]:
                yield key_of(each), _plain(value)


def key_of(each: "Field[Any]") -> str:
    """Name of a field in JSON."""
    return str(each.metadata["name"] or each.name)


def section_in(annotation: Any) -> type[Section] | None:
    """Section class in a field's annotation, alone, in a sequence or with None; else None."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    return next(filter(None, map(section_in, get_args(annotation))), None)


def _typed(each: "Field[Any]", value: Any) -> Any:
    inner = section_in(each.type)
    if inner is None or value is None or isinstance(value, Section):
        return value
    if isinstance(value, Mapping):
        return inner.of(value)
    return tuple(inner.of(item) for item in value)


def _plain(value: Any) -> Any:
    if isinstance(value, Section):
        return value.to_json()
    if isinstance(value, tuple | list):
        sections = bool(value) and isinstance(value[0], Section)
        return [_plain(item) for item in value] if sections else list(value)
    return value
