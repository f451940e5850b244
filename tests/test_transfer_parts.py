"""Downloads of single levels and of regions: images of their own, cut where physical units say."""

import json
from pathlib import Path

import numpy as np
import pytest
import tensorstore
import zarr
from hypothesis import given
from hypothesis import strategies as st

from ngff_practical.cli import main
from ngff_practical.errors import PlanError
from ngff_practical.inspection import describe_image, validate
from ngff_practical.metadata import image_document
from ngff_practical.model import Axis, Channel, Level, Location, Pyramid
from ngff_practical.sandbox import Fault, Sandbox
from ngff_practical.storage import write_object
from ngff_practical.transfer import download, manifest_path, read_manifest, upload
from ngff_practical.transfer.crop import _span

pytestmark = pytest.mark.s3

SCALE = (1.0, 2.0, 0.5, 0.5)  # c, z, y, x
PIXELS = np.random.default_rng(5).integers(0, 60_000, (2, 20, 64, 96), dtype="uint16")


def make_image(path: Path, version: str, *, shards: bool) -> Path:
    zarr_format = 2 if version == "0.4" else 3
    levels = []
    for index, step in enumerate((1, 2, 4)):
        data = PIXELS[:, :, ::step, ::step]
        zarr.create_array(
            path / str(index),
            data=data,
            chunks=(1, 5, 16, 16),
            shards=(1, 10, 32, 32) if shards and index < 2 else None,
            zarr_format=zarr_format,
            chunk_key_encoding={"name": "v2", "separator": "/"} if zarr_format == 2 else None,
            dimension_names=None if zarr_format == 2 else ["c", "z", "y", "x"],
        )
        levels.append(
            Level(
                str(index),
                data.shape,
                "uint16",
                (1, 5, 16, 16),
                (1.0, 2.0, 0.5 * step, 0.5 * step),
                (0.0, 0.0, 0.25 * (step - 1), 0.25 * (step - 1)),
            )
        )
    pyramid = Pyramid(
        "embryo",
        version,
        (
            Axis("c", "channel"),
            Axis("z", "space", "micrometer"),
            Axis("y", "space", "micrometer"),
            Axis("x", "space", "micrometer"),
        ),
        tuple(levels),
        (Channel("DAPI", "0000FF"), Channel("LaminB1", "00FF00")),
    )
    group = zarr.open_group(path, mode="a", zarr_format=zarr_format)
    group.attrs.update(image_document(pyramid))
    return path


@pytest.fixture(scope="module", params=["0.4", "0.5", "0.5 sharded", "0.6"])
def image(
    request: pytest.FixtureRequest, sandbox_server: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> Location:
    version, _, shards = request.param.partition(" ")
    folder = make_image(tmp_path_factory.mktemp("parts") / "t.zarr", version, shards=bool(shards))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in sandbox_server.environment.items():
            patch.setenv(name, value)
        place = sandbox_server.location("practical", f"parts/{request.param.replace(' ', '-')}/t.zarr")
        upload(folder, place)
    return Location(place.endpoint, place.bucket, place.key, anonymous=True)


def pixels(folder: Path, level: str) -> np.ndarray:
    """Return a level as another library reads it."""
    driver = "zarr3" if (folder / level / "zarr.json").exists() else "zarr"
    store = {"driver": "file", "path": str(folder / level)}
    return np.asarray(tensorstore.open({"driver": driver, "kvstore": store}).result().read().result())


def test_one_level_is_an_image_of_its_own(image: Location, tmp_path: Path) -> None:
    report = download(image, tmp_path / "low.zarr", levels=[2])
    assert [issue for issue in validate(tmp_path / "low.zarr") if issue.severity != "should"] == []
    found = describe_image(tmp_path / "low.zarr")
    assert found.levels == describe_image(image).levels[2:]
    assert found.channels == describe_image(image).channels
    np.testing.assert_array_equal(pixels(tmp_path / "low.zarr", "2"), PIXELS[:, :, ::4, ::4])
    assert report.verified == report.objects


def test_two_levels_keep_their_order(image: Location, tmp_path: Path) -> None:
    download(image, tmp_path / "some.zarr", levels=[2, 0])
    assert [level.path for level in describe_image(tmp_path / "some.zarr").levels] == ["0", "2"]


def test_region_is_cut_in_micrometers_and_remembers_where_it_was(image: Location, tmp_path: Path) -> None:
    target = tmp_path / "crop.zarr"
    download(image, target, region={"c": (1, 2), "z": (4, 20), "y": (10, 20), "x": (8, 40)})
    assert [issue for issue in validate(target) if issue.severity != "should"] == []
    found = describe_image(target)
    np.testing.assert_array_equal(pixels(target, "0"), PIXELS[1:2, 2:10, 20:40, 16:80])
    assert found.levels[0].translation == (1.0, 4.0, 10.0, 8.0)
    assert [channel.label for channel in found.channels] == ["LaminB1"]
    # at 2 micrometers a voxel, the centres lie at 0.75 + 2 i
    np.testing.assert_array_equal(pixels(target, "2"), PIXELS[1:2, 2:10, ::4, ::4][..., 5:10, 4:20])
    assert found.levels[2].translation == (1.0, 4.0, 10.75, 8.75)


def test_region_of_one_level_fetches_the_objects_it_touches_and_no_others(
    image: Location, tmp_path: Path, sandbox_server: Sandbox
) -> None:
    since = sandbox_server.request_count()
    report = download(
        image,
        tmp_path / "crop.zarr",
        levels=[0],
        region={"c": (0, 1), "z": (0, 10), "y": (0, 8), "x": (0, 8)},
    )
    asked = {
        request.key.rpartition("t.zarr/")[2]
        for request in sandbox_server.requests(since)
        if request.method == "GET" and "?" not in request.key
    }
    chunks = {key for key in asked if not key.endswith(("zarr.json", ".zarray", ".zattrs"))}
    assert len(chunks) == 1
    assert report.verified == report.objects == report.copied


def test_dry_run_says_the_bytes_before(image: Location, tmp_path: Path) -> None:
    region = {"y": (0.0, 8.0), "x": (0.0, 8.0)}
    before = download(image, tmp_path / "crop.zarr", region=region, dry_run=True)
    assert not list(tmp_path.iterdir())
    after = download(image, tmp_path / "crop.zarr", region=region)
    assert (before.copied, before.nbytes) == (after.copied, after.nbytes)
    assert after.nbytes < download(image, tmp_path / "all.zarr", dry_run=True).nbytes / 2


def test_manifest_beside_a_part_is_that_of_the_part(image: Location, tmp_path: Path) -> None:
    target = tmp_path / "crop.zarr"
    download(image, target, levels=[1], region={"z": (0, 10)})
    keys = {entry.key for entry in read_manifest(manifest_path(target)).entries}
    assert keys == {path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file()}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["crop.zarr", "crop.zarr.manifest.json"]


def test_few_objects_of_many_are_asked_for_one_by_one(
    image: Location, tmp_path: Path, sandbox_server: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ngff_practical.transfer.crop._KEYS_PER_LISTING", 0)
    since = sandbox_server.request_count()
    download(image, tmp_path / "crop.zarr", levels=[0], region={"z": (0, 10), "y": (0, 8), "x": (0, 8)})
    assert not [request for request in sandbox_server.requests(since) if "?" in request.key]
    np.testing.assert_array_equal(pixels(tmp_path / "crop.zarr", "0"), PIXELS[:, :5, :16, :16])


@pytest.mark.parametrize(
    ("levels", "region", "sentence"),
    [
        ([3], None, "no level 3; it has 3"),
        ([], None, "not none of its levels"),
        (None, {"q": (0, 1)}, "no axis 'q'; its axes are c, z, y, x"),
        (None, {"z": (100, 200)}, r"z=100:200 holds no voxel; the image reaches from -1 to 39 micrometer"),
        (None, {"z": (9, 3)}, "z=9:3 holds no voxel"),
    ],
)
def test_part_that_the_image_does_not_have_is_refused(
    image: Location,
    tmp_path: Path,
    levels: list[int] | None,
    region: dict[str, tuple[float, float]],
    sentence: str,
) -> None:
    with pytest.raises(PlanError, match=sentence):
        download(image, tmp_path / "crop.zarr", levels=levels, region=region)
    assert not list(tmp_path.iterdir())


def test_part_of_an_archive_is_refused_by_what_it_is(tmp_path: Path, server: Sandbox) -> None:
    place = server.location("practical", "parts/embryo.ozx")
    write_object(place, "", b"PK\5\6" + bytes(18), overwrite=True)
    with pytest.raises(PlanError, match=r"embryo\.ozx is one zip archive, and is fetched whole"):
        download(place, tmp_path / "low.zarr", levels=[0])
    assert not list(tmp_path.iterdir())
    assert download(place, tmp_path / "embryo.ozx").objects == 1


def test_flipped_byte_never_reaches_a_crop(image: Location, tmp_path: Path, sandbox_server: Sandbox) -> None:
    sandbox_server.set_faults([Fault("flipped", f"{image.bucket}/{image.key}/0/*0/0/0", "GET", times=1)])
    download(image, tmp_path / "crop.zarr", levels=[0], region={"z": (0, 10)})
    sandbox_server.set_faults(())
    np.testing.assert_array_equal(pixels(tmp_path / "crop.zarr", "0"), PIXELS[:, :5])


def test_command_line_fetches_a_level_and_a_region(
    image: Location, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--level", "1", "--region", "z=0:10,y=0:8", "--json"]
    assert main(["download", image.url, str(tmp_path / "crop.zarr"), *where]) == 0
    assert json.loads(capsys.readouterr().out)["problems"] == []
    assert describe_image(tmp_path / "crop.zarr").shape == (2, 5, 8, 48)
    assert main(["download", image.url, str(tmp_path / "x.zarr"), "--region", "z=all"]) == 2
    assert "write it like --region z=0:50,y=100:300" in capsys.readouterr().err


def test_version_without_positions_is_cut_into_one_that_has_them(
    sandbox_server: Sandbox, tmp_path: Path
) -> None:
    sandbox_server.use()
    folder = tmp_path / "old.zarr"
    zarr.create_array(
        folder / "0",
        data=PIXELS[:1, :1].reshape(1, 1, 1, 64, 96),
        chunks=(1, 1, 1, 16, 16),
        zarr_format=2,
        chunk_key_encoding={"name": "v2", "separator": "."},
    )
    group = zarr.open_group(folder, mode="a", zarr_format=2)
    group.attrs["multiscales"] = [{"version": "0.1", "datasets": [{"path": "0"}]}]
    place = sandbox_server.location("practical", "parts/old/t.zarr")
    upload(folder, place)
    download(place, tmp_path / "crop.zarr", region={"x": (10, 30)})
    found = describe_image(tmp_path / "crop.zarr")
    assert (found.version, found.levels[0].translation) == ("0.4", (0, 0, 0, 0, 10))
    assert [issue for issue in validate(tmp_path / "crop.zarr") if issue.severity != "should"] == []
    write_object(place, "note", b"")


@given(
    low=st.floats(-10, 120),
    width=st.floats(0.01, 100),
    step=st.floats(0.05, 30),
    first=st.floats(-20, 20),
    size=st.integers(1, 60),
)
def test_region_holds_the_voxels_whose_centres_lie_in_it(
    low: float, width: float, step: float, first: float, size: int
) -> None:
    centres = first + step * np.arange(size)
    inside = np.flatnonzero((centres >= low) & (centres < low + width))
    try:
        span = _span(Axis("x", "space"), size, step, first, (low, low + width))
    except PlanError:
        assert len(inside) == 0
        return
    got = np.arange(span.start, span.stop)
    assert 0 <= span.start < span.stop <= size
    if len(inside) and not np.isclose((centres - low) / step, 0, atol=1e-6).any():
        edge = np.isclose((centres - low - width) / step, 0, atol=1e-6)
        if not edge.any():
            np.testing.assert_array_equal(got, inside)
