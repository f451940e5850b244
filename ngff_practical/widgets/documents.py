"""The metadata tree: every document of an image, key by key, with its meaning and what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import traitlets

from ngff_practical.inspection import validation_report
from ngff_practical.model import Issue, Place
from ngff_practical.storage import parse_place
from ngff_practical.widgets.base import Message, Widget, script, style
from ngff_practical.widgets.colours import OKABE_ITO
from ngff_practical.widgets.counting import counted
from ngff_practical.widgets.nodes import Line, read_nodes, with_issues

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DRAWN = 26  # lines of the still picture


class MetadataTree(Widget):
    """What the metadata of an OME-Zarr say, key by key, in plain words, with the validator's findings.

    ```python
    MetadataTree("embryo.ome.zarr")
    ```
    With `findings=False` the validator does not run, which saves time for a large plate on a slow line.
    """

    _esm = script("documents")
    _css = style("documents")
    picture_size = (8.0, 5.0)

    nodes: traitlets.List[object] = traitlets.List(help="Path, kind and findings of each node.").tag(
        sync=True
    )
    lines: traitlets.List[object] = traitlets.List(help="The chosen node, line by line.").tag(sync=True)
    chosen = traitlets.Dict(help="The chosen node and line, and what is to be said of it.").tag(sync=True)

    def __init__(self, place: str | Place, *, findings: bool = True) -> None:
        super().__init__()
        found = parse_place(place) if isinstance(place, str) else place
        issues: tuple[Issue, ...] = validation_report(found).issues if findings else ()
        self._name = found.name
        self._validated = findings
        self._nodes = with_issues(read_nodes(found), issues)
        self._node, self._line = 0, -1
        self.nodes = [
            {"path": node.path or self._name, "kind": node.kind, **_weight(node.all_issues)}
            for node in self._nodes
        ]
        self._show_node()

    def look(self, where: str, *, node: str = "") -> None:
        """Choose a line by its path into the metadata of a node: "multiscales[0].axes"."""
        paths = [one.path for one in self._nodes]
        index = paths.index(node) if node in paths else 0
        wheres = [line.where for line in self._nodes[index].lines]
        self._choose(index, wheres.index(where) if where in wheres else -1)

    def receive(self, message: Message, buffers: Sequence[memoryview]) -> bool:
        """Choose a node or a line, as a person did in the view."""
        with self._lock:
            match message:
                case {"do": "node", "node": int() as node} if 0 <= node < len(self._nodes):
                    self._choose(node, -1)
                case {"do": "line", "line": int() as line}:
                    self._choose(self._node, line)
        return False

    def _choose(self, node: int, line: int) -> None:
        turned = node != self._node
        self._node = node
        self._line = line if 0 <= line < len(self._nodes[node].lines) else -1
        if turned:
            self._show_node()
        else:
            self._say()

    def _show_node(self) -> None:
        with self.hold_sync():
            self.lines = [
                {
                    "depth": line.depth,
                    "key": line.key,
                    "value": line.value,
                    "holds": line.holds,
                    **_weight(line.issues),
                }
                for line in self._nodes[self._node].lines
            ]
            self._say()

    def _say(self) -> None:
        node = self._nodes[self._node]
        line = node.lines[self._line] if self._line >= 0 else None
        issues = line.issues if line else node.issues
        head = _title(line) if line else f"{node.path or self._name} ({node.kind})"
        said = line.meaning if line else self._of_node()
        self.chosen = {
            "node": self._node,
            "line": self._line,
            "head": head,
            "meaning": said,
            "issues": [[issue.severity, issue.message, issue.rule] for issue in issues],
        }
        wrong = " ".join(f"{issue.severity}: {issue.message}." for issue in issues)
        self.text = f"{head}. {said} {wrong or self._nothing()}".strip()

    def _of_node(self) -> str:
        node = self._nodes[self._node]
        everywhere = sum(len(one.all_issues) for one in self._nodes)
        words = (
            f"{counted(len(node.lines), 'line')} of metadata here, {counted(len(self._nodes), 'node')} in all"
        )
        return f"{words}; {counted(everywhere, 'finding')} altogether." if self._validated else f"{words}."

    def _nothing(self) -> str:
        return "The validator finds nothing here." if self._validated else ""

    def draw(self, figure: Figure) -> None:
        """Draw the first lines of the chosen node, findings marked."""
        node = self._nodes[self._node]
        figure.suptitle(
            f"{self._name}: {node.path or 'root'} ({node.kind})"[:90], x=0.02, ha="left", fontsize=11
        )
        axes = figure.subplots()
        axes.set_axis_off()
        axes.set(xlim=(0, 1), ylim=(_DRAWN, 0))
        for row, line in enumerate(node.lines[:_DRAWN]):
            ink = OKABE_ITO["vermilion"] if line.issues else "0.15"
            left = f"{'✕ ' if line.issues else ''}{line.key}: {line.value}"
            axes.text(
                0.02 * line.depth,
                row + 0.7,
                left[:64],
                family="monospace",
                fontsize=7,
                color=ink,
                parse_math=False,
            )
            axes.text(0.52, row + 0.7, line.meaning[:78], fontsize=6.5, color="0.35", parse_math=False)


def _title(line: Line) -> str:
    return f"{line.where} = {line.value}" if not line.holds else f"{line.where}: {line.value}"


def _weight(issues: Sequence[Issue]) -> dict[str, object]:
    """Return how many findings there are, and how grave the gravest is."""
    gravest = min(issues, key=lambda issue: issue.rank, default=None)
    return {"count": len(issues), "worst": gravest.severity if gravest else ""}
