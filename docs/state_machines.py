"""Draw every state machine as ``docs/images/<name>_states.svg``: ``python docs/state_machines.py``.

States are drawn in ranks, each below all those that lead to it, and the usual way through them in
one column. Dashed lines are errors that are caught; lines on the right lead back to an earlier
state.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "terraform" / "state_machines"
PICTURES = ROOT / "docs" / "images"

# Lengths in pixels.
HEIGHT, GAP, BESIDE, MARGIN, LANE = 42, 46, 34, 22, 22
LETTER, PADDING = 7.4, 26

FILLS = {
    "Task": "#e8f1fb",
    "Choice": "#fff4d6",
    "Parallel": "#f7f7fb",
    "Map": "#f7f7fb",
    "Succeed": "#e3f4e6",
    "Fail": "#fce4e1",
}
STYLE = """
text { font-family: system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1b1f24;
  text-anchor: middle; font-size: 13px }
.kind, .edge { font-size: 11px; fill: #57606a }
.edge { paint-order: stroke; stroke: #fff; stroke-width: 4px }
path { fill: none; stroke: #57606a; stroke-width: 1.3; marker-end: url(#arrow) }
.caught { stroke-dasharray: 5 4; stroke: #a8442f }
rect { stroke: #57606a; stroke-width: 1.1 }
"""

Json = Mapping[str, Any]
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Edge:
    """A way from one state to another; ``caught`` if it is that of an error."""

    start: str
    end: str
    label: str = ""
    caught: bool = False


@dataclass
class Box:
    """A state, or without one, the place where a line passes a rank; x and y of its middle."""

    name: str
    state: Json | None = None
    inside: Sequence[Drawing] = ()
    x: float = 0.0
    y: float = 0.0
    width: float = 0.0
    height: float = 0.0


@dataclass
class Drawing:
    """The states of one machine or branch with their places, from (0, 0) to (width, height)."""

    boxes: dict[str, Box]
    edges: Sequence[Edge]
    ways: dict[Edge, list[str]] = field(default_factory=dict)  # the boxes that a line passes
    width: float = 0.0
    height: float = 0.0


def drawn(machine: Json) -> Drawing:
    """Find places for the states of a machine."""
    states = machine["States"]
    edges = [edge for name, state in states.items() for edge in _edges(name, state)]
    boxes = {name: _box(name, state) for name, state in states.items()}
    drawing = Drawing(boxes, edges)
    forward = _forward(machine["StartAt"], edges)
    ranks = _ranks(machine["StartAt"], forward)
    rows: dict[int, list[str]] = {}
    for name in states:
        rows.setdefault(ranks.get(name, 0), []).append(name)
    for edge in forward:
        between = range(ranks[edge.start] + 1, ranks[edge.end])
        # Errors that lead to the same state share their line.
        line = f"to {edge.end}" if edge.caught else f"line {edges.index(edge)}"
        passed = [f"{line}/{rank}" for rank in between]
        for rank, name in zip(between, passed, strict=True):
            if name not in boxes:
                boxes[name] = Box(name)
                rows[rank].append(name)
        drawing.ways[edge] = [edge.start, *passed, edge.end]
    _place(drawing, [rows[rank] for rank in sorted(rows)], _usual(machine, states))
    return drawing


def _edges(name: str, state: Json) -> Iterator[Edge]:
    if "Next" in state:
        yield Edge(name, state["Next"])
    if "Default" in state:
        yield Edge(name, state["Default"], "otherwise")
    for rule in state.get("Choices", ()):
        yield Edge(name, rule["Next"], _condition(rule))
    for catcher in state.get("Catch", ()):
        yield Edge(name, catcher["Next"], ", ".join(catcher["ErrorEquals"]), caught=True)


def _condition(rule: Json) -> str:
    """A rule of a choice in few words."""
    if rule.get("Not", {}).get("StringEquals") == "":
        return f"{rule['Not']['Variable'].rpartition('.')[2]} is set"
    if "Not" in rule:
        return f"not {_condition(rule['Not'])}"
    for word in ("And", "Or"):
        if word in rule:
            return f" {word.lower()} ".join(map(_condition, rule[word]))
    variable = rule["Variable"].rpartition(".")[2]
    (test,) = rule.keys() - {"Variable", "Next", "Comment"}
    signs = {"GreaterThanEquals": "≥", "GreaterThan": ">", "LessThanEquals": "≤", "LessThan": "<"}
    sign = next((sign for end, sign in signs.items() if test.endswith(end)), "=")
    value = rule[test]
    if value is True:
        return variable if test.startswith("Boolean") else f"{variable} {test}"
    return f"{variable} {sign} {json.dumps(value)}"


def _box(name: str, state: Json) -> Box:
    processor = state.get("ItemProcessor") or state.get("Iterator")
    branches = state.get("Branches") or ([processor] if processor else [])
    inside = [drawn(branch) for branch in branches]
    width = max(len(name), len(_kind(state)) * 0.85) * LETTER + PADDING
    if not inside:
        return Box(name, state, width=width, height=HEIGHT)
    width = max(width, sum(each.width for each in inside) + BESIDE * (len(inside) + 1))
    height = max(each.height for each in inside) + HEIGHT + MARGIN
    return Box(name, state, inside, width=width, height=height)


def _kind(state: Json) -> str:
    """What a state does, below its name."""
    resource = str(state.get("Resource", ""))
    if resource.endswith("lambda:invoke"):
        parameters = state["Parameters"]
        name = parameters.get("FunctionName") or parameters["FunctionName.$"]
        return f"function {name.strip('${}.')}"
    if resource.startswith("${"):
        return f"function {resource.strip('${}')}"
    if resource:
        return resource.rpartition(":::")[2].replace(":", " ")
    mode = (state.get("ItemProcessor") or {}).get("ProcessorConfig", {}).get("Mode", "")
    return f"{mode} {state['Type']}".strip().lower()


def _forward(start: str, edges: Sequence[Edge]) -> list[Edge]:
    """Edges without those that lead back to a state on the way to their own start."""
    kept: list[Edge] = []
    done: set[str] = set()

    def visit(name: str, above: tuple[str, ...]) -> None:
        for edge in edges:
            if edge.start == name and edge.end not in above:
                kept.append(edge)
                if edge.end not in done:
                    visit(edge.end, (*above, edge.end))
        done.add(name)

    visit(start, (start,))
    return kept


def _ranks(start: str, forward: Sequence[Edge]) -> dict[str, int]:
    """The length of the longest way to each state."""
    ranks = {start: 0}
    while True:
        longer = [
            edge
            for edge in forward
            if edge.start in ranks and ranks.get(edge.end, 0) < ranks[edge.start] + 1
        ]
        if not longer:
            return ranks
        for edge in longer:
            ranks[edge.end] = max(ranks.get(edge.end, 0), ranks[edge.start] + 1)


def _usual(machine: Json, states: Json) -> set[str]:
    """The states that are passed if nothing goes wrong."""
    name, found = machine["StartAt"], set[str]()
    while name and name not in found:
        found.add(name)
        name = states[name].get("Next") or states[name].get("Default", "")
    return found


def _place(drawing: Drawing, rows: Sequence[Sequence[str]], usual: set[str]) -> None:
    """Give each box its place: the usual way in one column, all else on its right."""
    before: dict[str, str] = {}
    for way in drawing.ways.values():
        for name, after in pairwise(way):
            if after not in before or drawing.boxes[before[after]].state is not None:
                before[after] = name  # below a line rather than below a state
    straight = {
        name
        for edge, way in drawing.ways.items()
        if {edge.start, edge.end} <= usual and not edge.caught
        for name in way[1:-1]
    }
    half = max(drawing.boxes[name].width for name in usual) / 2
    top = 0.0
    for row in rows:
        height = max(drawing.boxes[name].height for name in row)
        free = 2 * half + BESIDE
        for name in sorted(row, key=lambda name: _order(drawing, before, usual | straight, name)):
            box = drawing.boxes[name]
            if box.state is None:
                box.height = height
            box.y = top + box.height / 2
            if name in usual | straight:
                box.x = half
                continue
            above = drawing.boxes[before[name]] if name in before else None
            wanted = above.x if above and above.x > 2 * half else 0.0
            box.x = max(free + box.width / 2, wanted)
            free = box.x + box.width / 2 + BESIDE
        top += height + GAP
    boxes = drawing.boxes.values()
    back = [edge for edge in drawing.edges if edge not in drawing.ways]
    drawing.width = max(box.x + box.width / 2 for box in boxes) + LANE * len(back)
    drawing.height = top - GAP


def _order(
    drawing: Drawing, before: Mapping[str, str], middle: set[str], name: str
) -> tuple[bool, float, bool]:
    """From left to right: the usual way, then as in the row above, states before lines."""
    above = drawing.boxes[before[name]].x if name in before else 0.0
    return name not in middle, above, drawing.boxes[name].state is None


def svg(machine: Json, title: str) -> str:
    """The drawing of a machine."""
    drawing = drawn(machine)
    width, height = drawing.width + 2 * MARGIN, drawing.height + 2 * MARGIN
    body = "\n".join(_shown(drawing, MARGIN, MARGIN))
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" \
width="{width:.0f}" height="{height:.0f}" role="img" aria-label="{escape(title)}">
<style>{STYLE}</style>
<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" \
orient="auto"><path d="M0 0L8 4L0 8z" style="fill: #57606a; stroke: none"/></marker></defs>
<rect width="100%" height="100%" style="fill: #fff; stroke: none"/>
{body}
</svg>
"""


def _shown(drawing: Drawing, x: float, y: float) -> Iterator[str]:
    """The elements of a drawing whose corner is at (x, y)."""
    for box in drawing.boxes.values():
        if box.state is not None:
            yield from _state(box, x, y)
    labels = []
    for edge in drawing.edges:
        yield from _line(drawing, edge, x, y)
        labels.append(_label(drawing, edge, x, y))
    yield from filter(None, labels)


def _state(box: Box, x: float, y: float) -> Iterator[str]:
    state: Json = box.state or {}
    left, top = x + box.x - box.width / 2, y + box.y - box.height / 2
    kind = state["Type"]
    comment = state.get("Comment", "")
    tip = f"<title>{escape(comment)}</title>" if comment else ""
    yield (
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" '
        f'rx="{20 if kind in ("Succeed", "Fail") else 6}" '
        f'fill="{FILLS.get(kind, "#f3f4f6")}">{tip}</rect>'
    )
    middle = x + box.x
    yield f'<text x="{middle:.1f}" y="{top + 18:.1f}">{escape(box.name)}</text>'
    kind_place = f'class="kind" x="{middle:.1f}" y="{top + 33:.1f}"'
    yield f"<text {kind_place}>{escape(_kind(state))}</text>"
    taken = sum(each.width for each in box.inside) + BESIDE * (len(box.inside) - 1)
    start = middle - taken / 2
    for each in box.inside:
        yield from _shown(each, start, top + HEIGHT)
        start += each.width + BESIDE


def _line(drawing: Drawing, edge: Edge, x: float, y: float) -> Iterator[str]:
    kind = ' class="caught"' if edge.caught else ""
    way = drawing.ways.get(edge)
    path = _down(drawing, edge, way, x, y) if way else _back(drawing, edge, x, y)
    yield f'<path{kind} d="{path}"/>'


def _down(drawing: Drawing, edge: Edge, way: Sequence[str], x: float, y: float) -> str:
    """A line downwards, which passes other ranks where there is room for it."""
    across = x + _port(drawing, edge)
    first = drawing.boxes[way[0]]
    here = y + first.y + first.height / 2
    path = f"M{across:.1f} {here:.1f}"
    for name in way[1:]:
        box = drawing.boxes[name]
        top = y + box.y - box.height / 2
        half = (here + top) / 2
        path += f"C{across:.1f} {half:.1f} {x + box.x:.1f} {half:.1f} {x + box.x:.1f} {top:.1f}"
        across, here = x + box.x, y + box.y + box.height / 2
        if box.state is None:
            path += f"V{here:.1f}"  # straight through the rank
    return path


def _port(drawing: Drawing, edge: Edge) -> float:
    """Where a line leaves its state: several side by side, in the order of where they lead."""
    leaving = [each for each in drawing.ways if each.start == edge.start]
    leaving.sort(key=lambda each: drawing.boxes[drawing.ways[each][1]].x)
    box = drawing.boxes[edge.start]
    middle = next((i for i, each in enumerate(leaving) if not each.caught), 0)
    step = min(36.0, box.width / (2 * len(leaving)))
    return box.x + step * (leaving.index(edge) - middle)


def _back(drawing: Drawing, edge: Edge, x: float, y: float) -> str:
    """A line to an earlier state, up on the right of everything."""
    start, end = drawing.boxes[edge.start], drawing.boxes[edge.end]
    back = [each for each in drawing.edges if each not in drawing.ways]
    lane = x + drawing.width - LANE * (len(back) - 1 - back.index(edge)) - 4
    return (
        f"M{x + start.x + start.width / 2:.1f} {y + start.y:.1f}H{lane - 8:.1f}"
        f"Q{lane:.1f} {y + start.y:.1f} {lane:.1f} {y + start.y - 8:.1f}V{y + end.y + 8:.1f}"
        f"Q{lane:.1f} {y + end.y:.1f} {lane - 8:.1f} {y + end.y:.1f}"
        f"H{x + end.x + end.width / 2:.1f}"
    )


def _label(drawing: Drawing, edge: Edge, x: float, y: float) -> str:
    if not edge.label:
        return ""
    way = drawing.ways.get(edge)
    start = drawing.boxes[edge.start]
    if way is None:
        across, down = x + start.x + start.width / 2 + 4 * len(edge.label), y + start.y - 6
    else:
        after = drawing.boxes[way[1]]
        bottom, top = start.y + start.height / 2, after.y - after.height / 2
        labelled = [each for each in drawing.ways if each.start == edge.start and each.label]
        # Along the line, so that none overlap: many lines are apart only where they end.
        part = (0.3, 0.7)[labelled.index(edge)] if len(labelled) <= 2 else 0.8
        across = x + _between(_port(drawing, edge), after.x, part, bend=0)
        down = y + _between(bottom, top, part, bend=0.5) + 4
    return f'<text class="edge" x="{across:.1f}" y="{down:.1f}">{escape(edge.label)}</text>'


def _between(start: float, end: float, part: float, *, bend: float) -> float:
    """A coordinate of a cubic curve; its control points are ``bend`` of the way from its ends."""
    first, last = start + bend * (end - start), end - bend * (end - start)
    rest = 1 - part
    return rest**3 * start + 3 * rest**2 * part * first + 3 * rest * part**2 * last + part**3 * end


def pictures() -> dict[Path, str]:
    """The drawing of every state machine, by the path of its file."""
    found = {}
    for path in sorted(FOLDER.glob("*.asl.json")):
        name = path.name.partition(".")[0]
        machine = json.loads(path.read_text("utf-8"))
        found[PICTURES / f"{name}_states.svg"] = svg(machine, machine.get("Comment", name))
    return found


def main() -> int:
    """Write all drawings."""
    for path, text in pictures().items():
        path.write_text(text, "utf-8")
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
