"""The images of a few kilobytes that lessons look at and break: right until somebody breaks them."""

import numpy as np
import pytest
import yaozarrs
import zarr

from ngff_practical.errors import ExistsError
from ngff_practical.inspection import describe, describe_image, validate
from ngff_practical.samples import mini_image, mini_plate

WELLS = ("A/01", "A/02", "A/03", "B/01", "B/02", "B/03")


@pytest.mark.parametrize("version", ["0.4", "0.5", "0.6"])
def test_a_mini_image_is_valid_in_every_version(version, tmp_path):
    mini_image(tmp_path / "mini.zarr", version=version)
    assert validate(tmp_path / "mini.zarr") == ()
    assert describe_image(tmp_path / "mini.zarr").version == version


def test_a_coarse_voxel_is_the_mean_of_those_it_covers(tmp_path):
    mini_image(tmp_path / "mini.zarr")
    fine, coarse = (zarr.open_array(tmp_path / "mini.zarr" / path, mode="r")[:] for path in ("0", "1"))
    means = fine.reshape(2, 32, 32, 2, 32, 2).mean(axis=(3, 5))
    assert np.abs(means - coarse).max() <= 0.5


def test_a_mini_plate_is_valid_to_everybody(tmp_path):
    mini_plate(tmp_path / "plate.zarr")
    assert validate(tmp_path / "plate.zarr") == ()
    assert describe(tmp_path / "plate.zarr").wells == WELLS
    yaozarrs.validate_zarr_store(str(tmp_path / "plate.zarr"))


def test_every_field_shows_something_else(tmp_path):
    mini_plate(tmp_path / "plate.zarr")
    fields = [zarr.open_array(path, mode="r")[:] for path in sorted(tmp_path.glob("plate.zarr/?/??/?/0"))]
    assert len(fields) == 12
    assert len({field.tobytes() for field in fields}) == 12
    assert min(field.max() for field in fields) > 500  # a nucleus, not background


def test_a_well_left_out_is_stored_and_not_listed(tmp_path):
    mini_plate(tmp_path / "plate.zarr", leave_out=["B/02"])
    assert "B/02" not in describe(tmp_path / "plate.zarr").wells
    assert describe(tmp_path / "plate.zarr" / "B" / "02").kind == "well"


@pytest.mark.parametrize("write", [mini_image, mini_plate])
def test_nothing_is_written_over(write, tmp_path):
    write(tmp_path / "there.zarr")
    with pytest.raises(ExistsError, match=r"there\.zarr exists"):
        write(tmp_path / "there.zarr")
