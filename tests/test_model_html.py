"""What values look like in a notebook, and in the terminal: every text harmless, every element closed."""

import json
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ngff_practical.cli import image_pages, main
from ngff_practical.inspection import describe, describe_image, validate, validation_report
from ngff_practical.model import (
    Axis,
    Channel,
    Description,
    Issue,
    Issues,
    Level,
    Pyramid,
    StackSource,
    ValidationReport,
)

DATA = Path(__file__).parent / "data"
EVIL = "</td></details><script>alert(1)</script><img src=x onerror=alert(1)>'\"&\u202e\x1b[31m\x00"
ALLOWED = {"div", "b", "span", "table", "thead", "tbody", "tr", "th", "td", "details", "summary"}
VOID = {"img", "br", "hr", "input", "link", "meta"}


class Page(HTMLParser):
    """What a browser would see: every element closed, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += f" {data}"


def page_of(value: object) -> Page:
    return Page(value._repr_html_())  # type: ignore[attr-defined]


def evil_pyramid() -> Pyramid:
    axes = (Axis(EVIL, "space", EVIL), Axis("x", "space", EVIL))
    level = Level(EVIL, (4, 4), EVIL, (2, 2), (1.0, float("nan")))
    channels = (Channel(EVIL, "red;background:url(//x)", (0, 1, 0, 1)), Channel(EVIL, "00ff00"))
    return Pyramid(EVIL, EVIL, axes, (level,), channels=channels, labels=(EVIL, EVIL))


@pytest.mark.parametrize(
    "value",
    [
        evil_pyramid(),
        Description(EVIL, "image", EVIL, evil_pyramid(), document=json.dumps({EVIL: {EVIL: [[EVIL]]}})),
        Description(EVIL, "plate", EVIL, wells=(EVIL,), rows=(EVIL,), columns=(EVIL,), images=(EVIL,)),
        Description(EVIL, "image", EVIL, axes=(Axis(EVIL),), problem=EVIL, labels=(EVIL,)),
        ValidationReport(EVIL, "image", EVIL, (Issue("must", EVIL, EVIL, EVIL),), (EVIL,)),
        Issues([Issue("data", EVIL, EVIL, EVIL)]),
    ],
    ids=["pyramid", "image", "plate", "problem", "report", "issues"],
)
def test_hostile_text_stays_text(value: object) -> None:
    page = page_of(value)
    assert page.tags <= ALLOWED
    assert page.attributes <= {"style", "scope", "title", "role", "aria-label"}
    assert "<script>alert(1)</script>" in page.text
    assert "\u202e" not in page.text
    assert "\x1b" not in page.text
    assert "url(" not in value._repr_html_()  # type: ignore[attr-defined]


def test_image_shows_levels_channels_and_metadata() -> None:
    found = describe(DATA / "sound" / "0_5_channels")
    text = page_of(found).text
    for words in ("2 × 8 × 8", "0.25 × 0.25 micrometer", "DAPI", "c (channel)", "attributes", "multiscales"):
        assert words in text
    assert page_of(describe_image(DATA / "sound" / "0_5_channels")).tags <= ALLOWED - {"details", "summary"}


@pytest.mark.parametrize("name", sorted(folder.name for folder in (DATA / "sound").iterdir()))
def test_every_kind_has_a_page_with_its_metadata(name: str) -> None:
    found = describe(DATA / "sound" / name)
    assert page_of(found).tags <= ALLOWED
    assert json.loads(found.document)


def test_plate_shows_which_wells_are_there() -> None:
    html = describe(DATA / "sound" / "plate")._repr_html_()
    assert "aria-label='A/1'" in html
    assert "aria-label='B/2 is not there'" in html


def test_image_that_is_not_readable_says_why() -> None:
    assert (
        "lists the level 1, but no array is stored"
        in page_of(describe(DATA / "broken" / "level_missing")).text
    )


def test_report_shows_every_finding_and_its_rule() -> None:
    report = validation_report(DATA / "broken" / "units_unknown")
    text = page_of(report).text
    for issue in report.issues:
        assert issue.where in text
        assert issue.message in text
        assert issue.rule in text


def test_empty_answer_says_that_nothing_is_wrong() -> None:
    assert "nothing is wrong" in page_of(Issues()).text
    assert page_of(validate(DATA / "broken" / "units_unknown")).tags <= ALLOWED


def test_gravest_finding_comes_first(capsys: pytest.CaptureFixture[str]) -> None:
    issues = Issues(Issue(severity, severity, "", "") for severity in ("should", "data", "must"))
    assert page_of(issues).text.endswith(" must must data data should should")
    main(["validate", str(DATA / "broken" / "level_missing")])
    found = [line.split()[0] for line in capsys.readouterr().out.splitlines() if line[:1].isalpha()]
    assert found.index("must") < found.index("data")


def test_metadata_is_cut_where_nobody_would_read_it() -> None:
    long = Description("x", "image", "0.5", document=json.dumps({str(n): {"a": n} for n in range(5000)}))
    page = page_of(long)
    assert "cut after 2000 lines" in page.text
    assert len(long._repr_html_()) < 1_000_000


def test_metadata_that_is_too_long_is_not_kept(tmp_path: Path) -> None:
    shutil.copytree(DATA / "sound" / "0_5", tmp_path / "long.zarr")
    path = tmp_path / "long.zarr" / "zarr.json"
    document = json.loads(path.read_text())
    document["attributes"]["much"] = "x" * 300_000
    path.write_text(json.dumps(document))
    assert describe(tmp_path / "long.zarr").document == ""


# In a terminal


def test_terminal_shows_the_plate_as_a_grid(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(DATA / "sound" / "plate")]) == 0
    assert capsys.readouterr().out.splitlines()[-3:] == ["  1 2", "A o .", "B . ."]


def test_terminal_says_why_an_image_is_not_readable(capsys: pytest.CaptureFixture[str]) -> None:
    main(["info", str(DATA / "broken" / "level_missing")])
    assert "problem   " in capsys.readouterr().out


def test_terminal_shows_hostile_text_as_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(DATA / "sound" / "0_5_channels", tmp_path / "evil.zarr")
    path = tmp_path / "evil.zarr" / "zarr.json"
    document = json.loads(path.read_text())
    ome = document["attributes"]["ome"]
    ome["multiscales"][0]["name"] = ome["omero"]["channels"][0]["label"] = EVIL
    ome["multiscales"][0]["axes"][1]["unit"] = "[red]\x1b[31m"
    path.write_text(json.dumps(document))
    main(["info", str(tmp_path / "evil.zarr")])
    main(["validate", str(tmp_path / "evil.zarr")])
    out = capsys.readouterr().out
    assert "[red]" in out
    assert all(line.isprintable() for line in out.splitlines())


def test_json_gives_hostile_text_back_and_shows_none_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(DATA / "sound" / "0_5_channels", tmp_path / "evil.zarr")
    path = tmp_path / "evil.zarr" / "zarr.json"
    document = json.loads(path.read_text())
    label = f"{EVIL}\ud800\U000e0041µ"
    document["attributes"]["ome"]["omero"]["channels"][0]["label"] = label
    path.write_text(json.dumps(document))
    assert main(["info", str(tmp_path / "evil.zarr"), "--json"]) == 0
    out = capsys.readouterr().out
    out.encode()
    assert all(line.isprintable() for line in out.splitlines())
    assert json.loads(out)["channels"][0]["label"] == label


def test_sentence_of_a_finding_fits_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert main(["validate", str(DATA / "broken" / "scale_fits_shape")]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("        ") and len(line) > 60] == []
    assert "1 rule broken, 2 faults in the data" in lines[-1]


def test_sentence_of_a_finding_is_one_line_for_other_programs(capsys: pytest.CaptureFixture[str]) -> None:
    main(["validate", str(DATA / "broken" / "scale_fits_shape")])
    out = capsys.readouterr().out.splitlines()
    assert sum("but the scale says 1 times" in line and "along" in line for line in out) == 1
    assert out[-1] == "not valid: 1 rule broken, 2 faults in the data"


def test_a_stack_says_what_it_is_and_what_was_assumed():
    axes = (Axis("c", "channel"), Axis("z", "space", "micrometer"), Axis("y", "space"), Axis("x", "space"))
    files = tuple(Path(f"{number}.tif") for number in range(500))
    notes = ("No voxel size along y and x.", EVIL)
    stack = StackSource("a", axes, (2, 250, 8, 9), "uint16", 2, (1.0, 0.5, 1.0, 1.0), files, (), notes=notes)
    shown = page_of(stack)
    assert shown.tags <= ALLOWED
    for words in (
        "from 500 files",
        "2 × 250 × 8 × 9",
        "z 0.5 micrometer, y 1 (no unit)",
        *notes[:1],
        "alert(1)",
    ):
        assert words in shown.text
    assert len(repr(stack)) < 900
    assert "499.tif" not in repr(stack)


def of_a_plate(count: int) -> ValidationReport:
    """The same advice for every image of a plate, and one fault."""
    same = [Issue("should", f"A/{n}/0: multiscales[0].type", "type is missing", "rule") for n in range(count)]
    return ValidationReport("plate.zarr", "plate", "0.5", (*same, Issue("must", "plate", "wrong", "rule")))


def test_same_finding_in_many_images_is_one_row_that_unfolds_to_all_places() -> None:
    html = of_a_plate(96)._repr_html_()
    assert html.count("<tr") == 2
    assert html.count("type is missing") == 1
    assert "and the same in A/1/0, A/2/0, A/3/0, A/4/0 and 91 more places" in html
    assert "A/95/0: multiscales[0].type" in html
    Page(html)


def test_page_of_a_terminal_says_the_same_finding_once(capsys: pytest.CaptureFixture[str]) -> None:
    image_pages.validation_page(of_a_plate(3))
    lines = capsys.readouterr().out.splitlines()
    assert sum("type is missing" in line for line in lines) == 1
    assert "        and the same in A/1/0, A/2/0" in lines
    assert lines[-1] == "not valid: 1 rule broken, 3 recommendations not followed"


def test_channels_that_are_not_shown_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    level = Level("0", (40, 4, 4), "uint8", (1, 4, 4), (1.0, 1.0, 1.0))
    axes = (Axis("c", "channel"), Axis("y", "space"), Axis("x", "space"))
    image = Pyramid("many", "0.5", axes, (level,), channels=(Channel("marker"),) * 40)
    image_pages.info_page(Description("many.zarr", "image", "0.5", image))
    assert "          and 8 more\n" in capsys.readouterr().out
    assert "and 8 more" in page_of(image).text
