"""The box at the top of a lesson that says which data it uses, whose they are, and where they come from."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from ngff_practical.model.wording import shape_text
from ngff_practical.samples import Sample

type Row = tuple[str, str]


@dataclass(frozen=True, slots=True)
class DataBox:
    """Name, size, licence, citation and source of a sample: a table in a notebook, text elsewhere."""

    rows: tuple[Row, ...]

    def __repr__(self) -> str:
        width = max(len(title) for title, _ in self.rows)
        return "\n".join(f"{title:<{width}}  {text}" for title, text in self.rows)

    def _repr_html_(self) -> str:
        cells = "".join(
            f'<tr><th scope="row" style="text-align:left;vertical-align:top">{escape(title)}</th>'
            f'<td style="text-align:left">{escape(text)}</td></tr>'
            for title, text in self.rows
        )
        caption = '<caption style="text-align:left">Data of this lesson</caption>'
        return f"<table>{caption}<tbody>{cells}</tbody></table>"


def data_box(sample: Sample, source: str) -> DataBox:
    """Return the data box of a sample; `source` is the sentence of `samples.locate` on where it is read."""
    size = f"{shape_text(sample.shape)} ({', '.join(sample.axes)})" if sample.shape else "not stated"
    rows = [
        ("name", f"{sample.name} ({sample.study})"),
        ("size", size),
        ("licence", sample.licence),
        ("citation", _citation(sample)),
        ("source", source),
    ]
    return DataBox(tuple(rows))


def _citation(sample: Sample) -> str:
    if sample.doi is None or sample.doi in sample.citation:
        return sample.citation
    return f"{sample.citation}; doi:{sample.doi}"
