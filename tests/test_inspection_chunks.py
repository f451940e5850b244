"""Chunks that are missing, empty, cut short, altered or not of the grid, and what decoding them finds."""

import bz2
import gzip
import json
import lzma
import struct
import zlib
from pathlib import Path

import numcodecs
import numpy as np
import pytest
import zarr
from hypothesis import given
from hypothesis import strategies as st
from zarr.codecs import Crc32cCodec
from zarr.core.buffer import Buffer
from zarr.storage import MemoryStore

from ngff_practical.cli import main
from ngff_practical.inspection import decoding, validate, validation_report
from ngff_practical.inspection.claims import Packing, packing_of

SOUND = Path(__file__).parent / "data" / "sound"
EMPTY = struct.pack("<2Q", 2**64 - 1, 2**64 - 1)


def change(path: Path, **keys: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **keys}))


def image(folder: Path, *, codecs: list[object] | None = None, shards: bool = False) -> Path:
    """Write the levels of an image of 0.5 as 2 x 2 chunks each, or as shards of 2 x 2 chunks."""
    for file in ("zarr.json", "0/zarr.json", "1/zarr.json"):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes((SOUND / "0_5" / file).read_bytes())
    for level in ("0", "1"):
        path = folder / level / "zarr.json"
        shape = json.loads(path.read_text())["shape"]
        chunk = [shape[0], shape[1] // 2, shape[2] // 2]
        inner = codecs or [{"name": "bytes", "configuration": {"endian": "little"}}]
        if shards:
            inner = [{"name": "sharding_indexed", "configuration": sharding(chunk, inner)}]
        grid = {"name": "regular", "configuration": {"chunk_shape": shape if shards else chunk}}
        change(path, chunk_grid=grid, codecs=inner)
        zarr.open_array(folder / level, mode="r+")[:] = np.arange(np.prod(shape)).reshape(shape) + 1
    return folder


def sharding(chunk: list[int], codecs: list[object]) -> dict[str, object]:
    index = [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}]
    return {"chunk_shape": chunk, "codecs": codecs, "index_codecs": index, "index_location": "end"}


BYTES = {"name": "bytes", "configuration": {"endian": "little"}}
PACKED = {"cname": "zstd", "clevel": 5, "shuffle": "shuffle", "typesize": 2, "blocksize": 0}
BLOSC = {"name": "blosc", "configuration": PACKED}
CODECS = {
    "bytes": [BYTES],
    "blosc": [BYTES, BLOSC],
    "blosc with lz4": [BYTES, {"name": "blosc", "configuration": {**PACKED, "cname": "lz4"}}],
    "gzip": [BYTES, {"name": "gzip", "configuration": {"level": 5}}],
    "zstd": [BYTES, {"name": "zstd", "configuration": {"level": 3, "checksum": False}}],
    "zstd and checksum": [
        BYTES,
        {"name": "zstd", "configuration": {"level": 3, "checksum": True}},
        {"name": "crc32c"},
    ],
    "transposed": [{"name": "transpose", "configuration": {"order": [2, 0, 1]}}, BYTES, BLOSC],
}


@pytest.mark.parametrize("shards", [False, True], ids=["chunks", "shards"])
@pytest.mark.parametrize("codecs", CODECS.values(), ids=CODECS)
def test_sound_chunks_of_every_packing_are_decoded(
    codecs: list[object], shards: bool, tmp_path: Path
) -> None:
    counted: list[tuple[int, int]] = []
    place = image(tmp_path, codecs=codecs, shards=shards)
    report = validation_report(place, data=True, on_chunk=lambda *count: counted.append(count))
    assert (report.issues, report.notes) == ((), ())
    assert counted[-1] == ((2, 2) if shards else (8, 8))


@pytest.mark.parametrize("codecs", CODECS.values(), ids=CODECS)
@pytest.mark.parametrize("shards", [False, True], ids=["chunks", "shards"])
@pytest.mark.parametrize("share", ["all but a byte", "half"])
def test_chunk_cut_short_is_found_whatever_it_is_packed_with(
    codecs: list[object], shards: bool, share: str, tmp_path: Path
) -> None:
    place = image(tmp_path, codecs=codecs, shards=shards)
    chunk = place / "0/c/0/0/0"
    data = chunk.read_bytes()
    chunk.write_bytes(data[: len(data) // 2 if share == "half" else -1])
    (issue,) = validate(place)
    assert (issue.severity, issue.where) == ("data", "0")
    assert "1 chunk cut short or damaged: c/0/0/0" in issue.message


def reindexed(shard: Path, *entries: tuple[int, int, int]) -> None:
    """Write offset and size of chunks into the index of a shard of four, with the checksum that fits."""
    data = bytearray(shard.read_bytes())
    for number, offset, size in entries:
        struct.pack_into("<2Q", data, len(data) - 68 + 16 * number, offset, size)
    shard.write_bytes(bytes(data[:-68]) + summed(bytes(data[-68:-4])))


def summed(data: bytes) -> bytes:
    """Bytes with the CRC-32C that Zarr writes behind them."""
    stored: dict[str, Buffer] = {}
    array = zarr.create_array(
        MemoryStore(stored), shape=len(data), chunks=(len(data),), dtype="uint8", compressors=Crc32cCodec()
    )
    array[:] = np.frombuffer(data, "uint8")
    return stored["c/0"].to_bytes()


def test_index_of_a_shard_that_was_altered_is_found(tmp_path: Path) -> None:
    shard = image(tmp_path, shards=True) / "0/c/0/0/0"
    data = bytearray(shard.read_bytes())
    data[-1] ^= 1  # of the checksum
    shard.write_bytes(data)
    (issue,) = validate(tmp_path)
    assert issue.severity == "data"
    assert "the checksum of the shard's index is wrong" in issue.message


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ([(1, 2**62, 128)], "the index of the shard leads to byte 4611686018427388032 of"),
        ([(1, 64, 128)], "the index of the shard gives the same bytes to two chunks"),
        ([(1, 400, 128)], "or to a chunk and itself"),
        ([(1, 128, 0)], "it has 0 bytes, the array says 128"),
    ],
    ids=["beyond the end", "over another chunk", "over the index", "of no bytes"],
)
def test_index_that_cannot_be_true_is_found(
    entries: list[tuple[int, int, int]], says: str, tmp_path: Path
) -> None:
    reindexed(image(tmp_path, shards=True) / "0/c/0/0/0", *entries)
    (issue,) = validate(tmp_path)
    assert says in issue.message


def test_equal_chunks_of_a_shard_may_be_stored_once(tmp_path: Path) -> None:
    reindexed(image(tmp_path, shards=True) / "0/c/0/0/0", (1, 0, 128))
    assert validate(tmp_path) == ()


@pytest.mark.parametrize(
    ("answer", "says"),
    [(b"<!DOCTYPE html><html>", "it is a web page"), (b"<?xml version='1.0'?><Error/>", "it is XML")],
)
def test_answer_of_a_server_that_was_saved_as_a_chunk_is_called_that(
    answer: bytes, says: str, tmp_path: Path
) -> None:
    (image(tmp_path, codecs=CODECS["gzip"]) / "0/c/0/0/0").write_bytes(answer)
    (issue,) = validate(tmp_path)
    assert says in issue.message


def test_git_lfs_pointer_in_place_of_a_chunk_is_one_finding(tmp_path: Path) -> None:
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 4096\n"
    (image(tmp_path) / "0/c/0/0/0").write_text(pointer)
    (issue,) = validate(tmp_path, data=True)
    assert "git-lfs pointer in place of chunks" in issue.message


def test_chunk_in_a_shard_that_claims_to_be_huge_is_not_inflated(tmp_path: Path) -> None:
    shard = image(tmp_path, shards=True, codecs=CODECS["blosc"]) / "0/c/0/0/0"
    data = bytearray(shard.read_bytes())
    data[4:8] = struct.pack("<I", 2**31 - 17)  # the index, and its checksum, stay as they are
    shard.write_bytes(data)
    assert "it claims to hold 2147483631 bytes, the array says 128" in validate(tmp_path)[0].message


def test_shard_of_a_few_bytes_with_a_huge_index_is_answered_at_once(tmp_path: Path) -> None:
    place = image(tmp_path, shards=True)
    (place / "0/c/0/0/0").write_bytes(b"x" * 10)
    assert "its index alone takes 68" in validate(place)[0].message


@pytest.mark.parametrize("packer", ["gzip", "zlib", "bz2", "lzma"])
def test_bomb_is_defused(packer: str) -> None:
    pack = {"gzip": gzip.compress, "zlib": zlib.compress, "bz2": bz2.compress, "lzma": lzma.compress}[packer]
    packing = Packing(packer, 1000, exact=True)
    assert packing.fault(pack(bytes(1000))) == ""
    assert "it unpacks to more than 1000 bytes" in packing.fault(pack(bytes(10**7)))
    assert "it unpacks to more than 1000 bytes" in packing.fault(pack(bytes(900)) * 1000)
    assert packing.fault(b"no such thing")


def test_zstd_without_a_stated_size_is_counted_by_its_blocks() -> None:
    frame = b"\x28\xb5\x2f\xfd\x00\x58"  # no size, a window of 2 MB
    run = (2**20 << 3 | 1 << 1).to_bytes(3, "little") + b"x"  # a block that repeats one byte
    packing = Packing("zstd", 1000, exact=True)
    assert "it may unpack to" in packing.fault(frame + run * 1000)
    assert packing.fault(frame + (8 << 3 | 1).to_bytes(3, "little") + b"12345678") == ""


@given(data=st.binary(max_size=60), packer=st.sampled_from(["blosc", "lz4", "zstd", "gzip", "bz2", "lzma"]))
def test_any_bytes_have_a_fault_or_none(data: bytes, packer: str) -> None:
    assert Packing(packer, 100, exact=True).fault(data).isprintable()
    assert Packing("zstd", 100, exact=True).fault(b"\x28\xb5\x2f\xfd" + data).isprintable()


@pytest.mark.parametrize("codec", [numcodecs.Blosc(), numcodecs.LZ4(), numcodecs.Zstd(), numcodecs.BZ2()])
def test_what_numcodecs_packs_has_no_fault(codec: numcodecs.abc.Codec) -> None:
    packed = bytes(codec.encode(np.arange(1000, dtype="uint16")))
    packing = packing_of([codec.codec_id], 2000)
    assert packing is not None
    assert packing.fault(packed) == ""
    assert packing.fault(bytes(codec.encode(np.arange(1000, dtype="uint32"))))


@pytest.mark.parametrize(
    "codecs",
    [["bytes", "gzip", "zstd"], ["bytes", "numcodecs.zfpy"], ["gzip", "bytes"], ["zstd", "fletcher32"]],
)
def test_packing_whose_size_cannot_be_told_is_left_alone(codecs: list[str]) -> None:
    assert packing_of(codecs, 100) is None


def test_image_that_is_not_decoded_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "LARGEST_DECODED", 10)
    report = validation_report(image(tmp_path), data=True)
    assert report.notes[0] == "the chunks of 0 were not decoded, as they are larger than 0 MB"


def test_command_line_tells_what_it_decodes_on_stderr_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["validate", str(image(tmp_path)), "--data", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["valid"] is True
