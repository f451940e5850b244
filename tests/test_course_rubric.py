"""The score card: each criterion is measured, and the one that fails says what was found."""

from pathlib import Path

import pytest

from ngff_practical.convert import convert_stack
from ngff_practical.course.rubric import Target, score_card
from ngff_practical.pyramid import plan_pyramid
from ngff_practical.samples import sample_planes
from ngff_practical.stack import find_stack


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an image whose files stated no voxel size."""
    folder = tmp_path_factory.mktemp("rubric")
    stack = find_stack(sample_planes(folder / "planes", shape=(8, 48, 48)))
    convert_stack(stack, folder / "image.ome.zarr", plan_pyramid(stack, levels=2))
    return folder / "image.ome.zarr"


def failed(image: Path, target: Target) -> list[str]:
    return [each.asked for each in score_card(image, None, target).criteria if not each.met]


def test_what_was_stored_is_counted_to_the_object_and_the_byte(image: Path) -> None:
    objects = [path for path in image.rglob("*") if path.is_file()]
    preview = sum(path.stat().st_size for path in objects if path.relative_to(image).parts[0] == "1")
    open_still = ["voxel size with a unit", "a copy on S3, verified", "open to strangers"]
    assert failed(image, Target(len(objects), preview)) == open_still
    assert len(failed(image, Target(len(objects) - 1, preview - 1))) == len(open_still) + 2


def test_card_reads_as_text_and_as_a_table(image: Path) -> None:
    card = score_card(image, None, Target(100, 100_000))
    assert repr(card).splitlines()[-1] == "3 of 6 met"
    assert card._repr_html_().count("<tr>") == 7
