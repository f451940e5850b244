"""The page about clusters: its examples parse, and its sums are right."""

import ast
import re
from pathlib import Path

PAGE = (Path(__file__).parents[1] / "docs" / "cluster.md").read_text(encoding="utf-8")


def test_every_example_in_python_parses():
    examples = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    assert len(examples) == 2
    for example in examples:
        ast.parse(example)


def test_the_costs_follow_from_the_measurement():
    rows = re.findall(r"([\d.]+) / 2 = ([\d.]+) \| ([\d.]+) x 931 / 3600 = ([\d.]+)", PAGE)
    assert len(rows) == 2
    for measured, per_gib, repeated, hours in rows:
        assert float(measured) / 2 == float(per_gib) == float(repeated)
        assert round(float(per_gib) * 931 / 3600, 1) == float(hours)
