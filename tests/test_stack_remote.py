"""A TIFF behind https:// or on S3: few ranges, exact pixels, one version, and errors in one sentence."""

from __future__ import annotations

import pickle
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import tifffile

from ngff_practical.convert import convert_stack
from ngff_practical.errors import AccessError, NotFoundError, StackError, StorageError
from ngff_practical.model import Location
from ngff_practical.pyramid import plan_pyramid
from ngff_practical.sandbox import Sandbox
from ngff_practical.stack import StackReader, find_stack, read_stack
from ngff_practical.storage import RemoteObject, write_object

NOISE = np.random.default_rng(3).integers(0, 2**16, (64, 256, 256)).astype("uint16")


@dataclass
class WebServer:
    """A plain web server: ranges and nothing else, as static hosting has it; `asked` are their sizes."""

    files: dict[str, bytes]
    ranges: bool = True
    etags: bool = False
    status: int | None = None
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    on_request: list[bytes] = field(default_factory=list)  # contents that appear after one more request
    endpoint: str = ""

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        name = handler.path.lstrip("/")
        wanted = handler.headers.get("Range")
        self.asked.append((handler.command, wanted))
        data = self.files.get(name)
        if name.startswith("moved/"):
            handler.send_response(302)
            handler.send_header("Location", f"/{name.removeprefix('moved/')}")
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        if data is None or self.status:
            handler.send_error(self.status or 404)
            return
        match = re.fullmatch(r"bytes=(\d+)-(\d+)", wanted or "")
        start, stop = (int(match[1]), min(int(match[2]) + 1, len(data))) if match else (0, len(data))
        if match and start >= len(data):
            handler.send_error(416)
            return
        body = data[start:stop] if self.ranges else data
        handler.send_response(206 if match and self.ranges else 200)
        if match and self.ranges:
            handler.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(data)}")
        if self.etags:
            handler.send_header("ETag", f'W/"{hash(data)}"')
        handler.send_header("Last-Modified", formatdate(hash(data) % 10**9, usegmt=True))
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)
        if self.on_request:
            self.files[name] = self.on_request.pop()


@pytest.fixture
def web() -> Iterator[WebServer]:
    served = WebServer({})

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            served.answer(self)

        def log_message(self, format: str, *args: object) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=[0.01])
    thread.start()
    served.endpoint = f"http://127.0.0.1:{server.server_port}"
    yield served
    server.shutdown()
    thread.join()
    server.server_close()


def tiff(folder: Path, data: np.ndarray, *, one_by_one: bool = False, **options: object) -> bytes:
    """The bytes of a TIFF; `one_by_one` puts each directory behind the pixels of its page."""
    file = folder / "made.tif"
    options.setdefault("photometric", "minisblack")
    if one_by_one:
        with tifffile.TiffWriter(file) as writer:
            for plane in data:
                writer.write(plane, contiguous=False, metadata=None, **options)
    else:
        tifffile.imwrite(file, data, **options)
    return file.read_bytes()


@pytest.fixture
def bucket(sandbox_server: Sandbox, request: pytest.FixtureRequest) -> Location:
    sandbox_server.use()
    return sandbox_server.location("practical", f"remote/{request.node.name}")


def put(place: Location, name: str, data: bytes) -> Location:
    write_object(place, name, data, overwrite=True)
    return place / name


# --- pixels


STORED = {
    "contiguous": {},
    "imagej": {"imagej": True},
    "directories between pages": {"one_by_one": True},
    "one compressed strip per page": {"compression": "zlib", "rowsperstrip": 256},
    "many compressed strips": {"compression": "zlib", "rowsperstrip": 8, "predictor": True},
    "compressed tiles": {"compression": "zlib", "tile": (64, 64)},
    "big-endian BigTIFF": {"bigtiff": True, "byteorder": ">"},
}


@pytest.mark.parametrize("stored", STORED.values(), ids=STORED.keys())
def test_a_stack_behind_a_web_address_is_read_exactly(tmp_path, web, stored):
    web.files["data/stack.tif"] = tiff(tmp_path, NOISE[:12], **stored)
    source = find_stack(f"{web.endpoint}/data/stack.tif", axes="zyx")
    assert source.name == "stack"
    assert np.array_equal(read_stack(source), NOISE[:12])


@pytest.mark.s3
def test_a_stack_on_s3_becomes_an_image_on_s3(tmp_path, bucket):
    place = put(bucket, "stack.tif", tiff(tmp_path, NOISE[:16], metadata={"axes": "ZYX"}))
    source = find_stack(place, axes="zyx")
    image = convert_stack(source, bucket / "image.zarr", plan_pyramid(source), verify="full")
    assert np.array_equal(image["0"][:], NOISE[:16])


def test_a_file_at_the_root_of_a_web_server_is_read(tmp_path, web):
    web.files["stack.tif"] = tiff(tmp_path, NOISE[:3])
    assert np.array_equal(read_stack(find_stack(f"{web.endpoint}/stack.tif", axes="zyx")), NOISE[:3])


def test_an_address_that_redirects_is_followed(tmp_path, web):
    web.files["stack.tif"] = tiff(tmp_path, NOISE[:3])
    source = find_stack(f"{web.endpoint}/moved/stack.tif", axes="zyx")
    assert np.array_equal(read_stack(source), NOISE[:3])


def test_an_ome_tiff_behind_a_web_address_states_its_axes_and_channels(tmp_path, web):
    file = tmp_path / "a.ome.tif"
    metadata = {"axes": "ZCYX", "PhysicalSizeX": 0.5, "Channel": {"Name": ["DAPI", "GFP"]}}
    tifffile.imwrite(file, NOISE[:6].reshape(3, 2, 256, 256), metadata=metadata)
    web.files["renamed.ome.tif"] = file.read_bytes()
    source = find_stack(f"{web.endpoint}/renamed.ome.tif")
    assert (source.axis_names, source.shape) == (("c", "z", "y", "x"), (2, 3, 256, 256))
    assert [channel.label for channel in source.channels] == ["DAPI", "GFP"]


def test_a_reader_of_a_remote_stack_travels_to_another_process(tmp_path, web):
    web.files["stack.tif"] = tiff(tmp_path, NOISE[:3])
    reader = pickle.loads(pickle.dumps(StackReader(find_stack(f"{web.endpoint}/stack.tif", axes="zyx"))))
    rows = np.empty((10, 256), "uint16")
    with reader:
        reader.read(2, slice(5, 15), rows)
    assert np.array_equal(rows, NOISE[2, 5:15])


# --- requests


@pytest.mark.parametrize(("one_by_one", "most"), [(False, 3), (True, 12)])
@pytest.mark.s3
def test_opening_64_planes_takes_a_few_requests(tmp_path, sandbox_server, bucket, one_by_one, most):
    place = put(bucket, "stack.tif", tiff(tmp_path, NOISE, one_by_one=one_by_one))
    before = sandbox_server.request_count()
    assert find_stack(place, axes="zyx").shape == NOISE.shape
    asked = sandbox_server.requests(before)
    assert len(asked) <= most
    assert all(request.method == "GET" and request.range for request in asked)


def test_directories_far_apart_are_read_without_the_pixels_between(tmp_path, web):
    data = np.zeros((6, 1024, 1024), "uint16")
    web.files["stack.tif"] = tiff(tmp_path, data, one_by_one=True)
    find_stack(f"{web.endpoint}/stack.tif", axes="zyx")
    sizes = [int(b) - int(a) + 1 for a, b in (re.findall(r"\d+", text) for _, text in web.asked if text)]
    assert sum(sizes) < data.nbytes / 10


def test_rows_of_a_plane_are_one_request(tmp_path, web):
    web.files["stack.tif"] = tiff(tmp_path, NOISE[:4])
    source = find_stack(f"{web.endpoint}/stack.tif", axes="zyx")
    planes = np.empty((4, 100, 256), "uint16")
    web.asked.clear()
    with StackReader(source) as reader:
        reader.read_planes([0, 1, 2, 3], slice(20, 120), planes)
    assert np.array_equal(planes, NOISE[:4, 20:120])
    assert len(web.asked) == 4


def test_neighbouring_strips_are_one_request(tmp_path, web):
    web.files["stack.tif"] = tiff(tmp_path, NOISE[:1], compression="zlib", rowsperstrip=8)
    source = find_stack(f"{web.endpoint}/stack.tif", axes="zyx")
    rows = np.empty((128, 256), "uint16")
    with StackReader(source) as reader:
        reader.read(0, slice(0, 1), rows[:1])  # the directory
        web.asked.clear()
        reader.read(0, slice(64, 192), rows)
    assert np.array_equal(rows, NOISE[0, 64:192])
    assert len(web.asked) == 1


# --- one version


@pytest.mark.parametrize("etags", [False, True])
def test_a_file_replaced_while_its_headers_are_read_is_an_error(tmp_path, web, etags):
    web.etags = etags
    web.files["stack.tif"] = tiff(tmp_path, NOISE[:8])
    web.on_request.append(tiff(tmp_path, NOISE[8:16]))
    with pytest.raises(StorageError, match=r"stack\.tif was replaced while it was being read; start again"):
        find_stack(f"{web.endpoint}/stack.tif", axes="zyx")


def test_a_file_replaced_between_plan_and_conversion_is_an_error(tmp_path, web):
    web.files["stack.tif"] = tiff(tmp_path, NOISE[:8])
    source = find_stack(f"{web.endpoint}/stack.tif", axes="zyx")
    web.files["stack.tif"] = tiff(tmp_path, NOISE[8:16])
    with pytest.raises(StorageError, match="was replaced"):
        convert_stack(source, tmp_path / "image.zarr", plan_pyramid(source))
    assert list(tmp_path.glob("image*")) == []


@pytest.mark.s3
def test_s3_itself_refuses_ranges_of_a_replaced_object(bucket):
    place = put(bucket, "a", bytes(2**20))
    remote = RemoteObject(place)
    put(bucket, "a", bytes(2**20 - 1) + b"1")
    with pytest.raises(StorageError, match="was replaced"):
        remote.read_into(2**19, memoryview(bytearray(10)))


# --- errors


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [
        (404, NotFoundError, "nothing is stored at"),
        (403, AccessError, r"anonymous access may not read .*\(403\)"),
    ],
)
def test_what_a_web_server_refuses_is_said_in_one_sentence(web, status, kind, said):
    web.status, web.files = status, {"stack.tif": b""}
    with pytest.raises(kind, match=said) as error:
        find_stack(f"{web.endpoint}/stack.tif")
    assert "\n" not in str(error.value)


def test_a_server_without_ranges_says_to_download_first(tmp_path, web):
    web.ranges = False
    web.files["data/stack.tif"] = tiff(tmp_path, NOISE[:3])
    with pytest.raises(StorageError, match=r"sends whole objects only.*download"):
        find_stack(f"{web.endpoint}/data/stack.tif")


def test_a_web_page_and_an_empty_file_are_no_tiff(web):
    web.files = {"page.tif": b"<!DOCTYPE html><p>Sign in", "empty.tif": b""}
    with pytest.raises(StackError, match="a web page or error message"):
        find_stack(f"{web.endpoint}/page.tif")
    with pytest.raises(StackError, match=r"empty\.tif is empty"):
        find_stack(f"{web.endpoint}/empty.tif")


def test_a_remote_file_that_was_cut_off_is_an_error(tmp_path, web):
    web.files["stack.tif"] = tiff(tmp_path, NOISE[:8], one_by_one=True)[:-1000]
    with pytest.raises(StackError, match="cut off or damaged"):
        find_stack(f"{web.endpoint}/stack.tif")
