"""Artifacts of assets: those of the usual recipe, and of any other one on demand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from fft_tool.errors import RecipeError, RecipeFault
from fft_tool.mask_files import Read, no_masks, resolve_masks
from fft_tool.recipe import KEYS, Key, Recipe, key_name
from fft_tool.results.outputs import Artifact, Source
from fft_tool.results.registry import ARTIFACT_KINDS, RECORD
from fft_tool.spelling import did_you_mean
from service.catalogue.assets import asset_row
from service.catalogue.kept import Kept, note_request
from service.database.rows import upsert
from service.database.tables import ARTIFACTS
from service.errors import NotHere
from service.parts import Parts
from service.references import Blob, keeping

ANALYSIS = Recipe(metadata=True, histogram=True)
"""The recipe by which every asset is analysed; what a request asks for is added to it."""

KINDS = {("record" if name == RECORD else name): kind for name, kind in ARTIFACT_KINDS.items()}
"""Kinds of artifacts by the names that they have here: the core's, and ``record``."""

NAMES = {kind.name: name for name, kind in KINDS.items()}

NEEDED = {"crop": ("crop", "smart-crop"), "filtered": ("filter",)}
"""Keys of a recipe without which there is no artifact of a kind; others only need a yes."""

_UNIQUE = ("asset_id", "kind", "recipe")


def find_artifact(
    parts: Parts,
    asset_id: int,
    kind: str,
    texts: Mapping[str, str],
    tenant: str | None,
    *,
    read_mask: Read = no_masks,
) -> Kept:
    """Find an artifact of an asset that a tenant may see, or make it now.

    ``texts`` are keys of a recipe with their values, added to :data:`ANALYSIS`; ``read_mask``
    finds the files of masks that a filter names. Raises :class:`~service.errors.NotHere` if there
    is no such asset or kind, :class:`~fft_tool.errors.RecipeError` with every fault,
    :class:`~service.errors.Busy`, or what keeps the image from being analysed.
    """
    check_kind(kind)
    recipe = resolve_masks(recipe_for(kind, texts), read_mask)
    with parts.database.read() as session:
        asset = asset_row(session, asset_id, tenant)
        row = session.execute(_kept(asset_id, kind, recipe)).one_or_none()
    if row is not None:
        note_request(parts, ARTIFACTS, row)
        return _as_kept(row)
    source = Source(asset.name, parts.blobs.read(asset.content_hash, asset.bytes))
    limits = parts.settings.limits
    made = parts.workbench.run(
        lambda child, patience: child.run(source, recipe, limits, patience=patience)
    )
    keep_artifacts(parts, asset_id, recipe, made.artifacts)
    with parts.database.read() as session:
        return _as_kept(session.execute(_kept(asset_id, kind, recipe)).one())


def keep_artifacts(parts: Parts, asset_id: int, recipe: Recipe, made: Iterable[Artifact]) -> None:
    """Keep artifacts of an asset, in place of those of the same recipe that there may be."""
    now = parts.clock.now()
    pairs = [(each, Blob(each.data, each.content_type)) for each in made]
    with keeping(parts, *(blob for _, blob in pairs), lasting=False) as session:
        for each, blob in pairs:
            values = {
                "asset_id": asset_id,
                "kind": NAMES[each.kind],
                "recipe": str(recipe),
                "name": each.name,
                "content_type": each.content_type,
                "bytes": len(each.data),
                "sha256": blob.sha256,
                "created_at": now,
                "asked_at": now,
            }
            upsert(session, ARTIFACTS, _UNIQUE, values)


def check_kind(kind: str) -> None:
    """Refuse a kind that does not exist, naming those that do."""
    if kind not in KINDS:
        near = did_you_mean(kind, KINDS)
        raise NotHere(f"there is no artifact {kind[:40]!r}, only {', '.join(KINDS)}{near}")


def recipe_for(kind: str, texts: Mapping[str, str]) -> Recipe:
    """Recipe that makes an artifact of a kind: :data:`ANALYSIS` with what was asked for.

    >>> str(recipe_for("spectrum", {"crop": "square"}))
    'crop=square spectrum=yes histogram=yes metadata=yes'

    The key that asks for the kind is added, if a yes is enough. Raises
    :class:`~fft_tool.errors.RecipeError` with every fault.
    """
    recipe = Recipe.parse(texts, ANALYSIS)
    if KINDS[kind].wanted(recipe):
        return recipe
    flag = _flag_of(kind)
    if flag is None:
        keys = NEEDED[kind]
        allowed = f"should be given, to get the artifact {kind}: {_form(keys[0])}"
        raise RecipeError([RecipeFault(" or ".join(keys), "", allowed)])
    if flag.name in map(key_name, texts):
        allowed = f"should be yes, or left out, to get the artifact {kind}"
        raise RecipeError([RecipeFault(flag.name, "no", allowed)])
    return Recipe.parse({flag.name: "yes"}, recipe)


def _flag_of(kind: str) -> Key | None:
    """Return the key whose yes asks for a kind; None if a yes is not enough."""
    wanted = KINDS[kind].wanted
    for key in KEYS:
        if key.value_type.flag:
            no, yes = (Recipe.parse({key.name: text}) for text in ("no", "yes"))
            if wanted(yes) and not wanted(no):
                return key
    return None


def _form(name: str) -> str:
    form = next(key.value_type.form for key in KEYS if key.name == name)
    return form.removesuffix(" or none")


def _kept(asset_id: int, kind: str, recipe: Recipe) -> sa.Select[Any]:
    return sa.select(*ARTIFACTS.c).where(
        ARTIFACTS.c.asset_id == asset_id,
        ARTIFACTS.c.kind == kind,
        ARTIFACTS.c.recipe == str(recipe),
    )


def _as_kept(row: sa.Row[Any]) -> Kept:
    return Kept(row.sha256, row.content_type, row.name, row.bytes)
