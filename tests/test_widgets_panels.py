"""Panels: a dry run changes nothing, work runs in a thread, stops, resumes, and ends verified."""

import threading

import pytest

from ngff_practical import convert_stack, find_stack, plan_pyramid, validate
from ngff_practical.errors import StorageError
from ngff_practical.samples import sample_planes
from ngff_practical.storage import list_objects
from ngff_practical.transfer import delete_image
from ngff_practical.widgets import ConvertPanel, DownloadPanel, UploadPanel
from ngff_practical.widgets.task_panel import TaskPanel
from ngff_practical.widgets.working import Progress


def ask(panel, **message):
    panel._handle_custom_msg(message, [])


class Counting(TaskPanel):
    """Ten steps; after `hold` of them it waits until it may go on."""

    def __init__(self, hold=10):
        self.done, self.hold = 0, hold
        self.reached, self.go_on = threading.Event(), threading.Event()
        super().__init__("here", "<b>there</b>")

    def look(self):
        return "ten steps would be made"

    def work(self, on_step):
        while self.done < 10:
            self.done += 1
            if self.done == self.hold:
                self.reached.set()
                assert self.go_on.wait(30)
            on_step(self.done, 10)
        return "all ten are made"


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return find_stack(sample_planes(tmp_path_factory.mktemp("panels") / "planes"))


@pytest.fixture(scope="module")
def image(source, tmp_path_factory):
    path = tmp_path_factory.mktemp("panels") / "embryo.ome.zarr"
    convert_stack(source, path, plan_pyramid(source, chunks=(8, 32, 32), shards=None))
    return path


@pytest.fixture
def place(sandbox_server):
    sandbox_server.use()
    found = sandbox_server.location("practical", "panels/embryo.ome.zarr")
    yield found
    if list(list_objects(found)):
        delete_image(found)


def test_progress_says_how_fast_and_how_long_the_rest_takes():
    assert (
        Progress(30, 50, 10, 2.0).sentence("object") == "30 of 50 objects, 10.0 in a second, about 2.0 s left"
    )
    assert Progress(0, 50, 0, 0.0).sentence("slab") == "0 of 50 slabs"


def test_a_first_step_is_no_guess_at_the_rest():
    assert Progress(1, 200, 0, 0.6).sentence("object") == "1 of 200 objects"


def test_a_dry_run_says_what_would_be_done_and_does_nothing():
    panel = Counting()
    ask(panel, do="look")
    assert "ten steps would be made" in panel.text
    assert (panel.state, panel.done) == ("ready", 0)


def test_a_dry_run_after_the_work_has_no_mark_of_what_was_done():
    panel = Counting(hold=0)
    panel.start()
    panel.wait()
    ask(panel, do="look")
    assert (panel.shown["said"], panel.shown["state"], panel.shown["share"]) == (panel.look(), "ready", 0.0)
    assert panel.shown["verb"] == "Again"


class Checking(Counting):
    """Waits with its check after the last step until it may go on."""

    check = "Now all are counted."

    def work(self, on_step):
        said = super().work(on_step)
        self.reached.set()
        assert self.go_on.wait(30)
        return said


def test_between_the_last_step_and_the_end_it_says_what_is_checked():
    panel = Checking(hold=0)
    panel.start()
    assert panel.reached.wait(30)
    assert panel.shown["said"] == "10 of 10 objects. Now all are counted."
    panel.go_on.set()
    panel.wait()
    assert panel.shown["said"] == "all ten are made"


def test_what_is_being_stopped_makes_no_guess_at_the_rest():
    panel = Counting(hold=4)
    panel.start()
    assert panel.reached.wait(30)
    panel.stop()
    assert panel.shown["said"] == "Stopping: what is on its way is finished first."
    panel.go_on.set()
    panel.wait()


class Once(Counting):
    repeats = False


@pytest.mark.parametrize("verb", ["start", "look"])
def test_what_can_be_done_once_only_offers_nothing_more_when_it_is_done(verb):
    panel = Once(hold=0)
    panel.start()
    panel.wait()
    said = panel.shown["said"]
    ask(panel, do=verb)
    panel.wait()
    assert (panel.done, panel.shown["said"], panel.shown["state"]) == (10, said, "done")
    assert (panel.shown["may_start"], panel.shown["verb"]) == (False, "Start")


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_conversion_is_offered_again_where_it_may_overwrite(source, tmp_path, overwrite):
    panel = ConvertPanel(source, tmp_path / "made.ome.zarr", overwrite=overwrite)
    ask(panel, do="start")
    panel.wait()
    assert (panel.state, panel.shown["may_start"]) == ("done", overwrite), panel.notice


def test_starting_returns_at_once_and_the_end_is_said():
    panel = Counting(hold=3)
    ask(panel, do="start")
    assert panel.reached.wait(30)
    assert panel.state == "working"
    panel.go_on.set()
    panel.wait()
    assert (panel.state, panel.shown["share"]) == ("done", 1.0)
    assert "all ten are made" in panel.text


def test_what_is_stopped_goes_on_where_it_was():
    panel = Counting(hold=4)
    panel.start()
    assert panel.reached.wait(30)
    ask(panel, do="stop")
    assert panel.shown["state"] == "stopping"
    panel.go_on.set()
    panel.wait()
    assert (panel.state, panel.done, panel.shown["verb"]) == ("stopped", 4, "Resume")
    assert "At least 3 of 10 objects are done" in panel.text
    panel.start()
    panel.wait()
    assert (panel.state, panel.done) == ("done", 10)


def test_starting_twice_runs_once():
    panel = Counting(hold=1)
    panel.start()
    panel.start()
    panel.go_on.set()
    panel.wait()
    assert panel.done == 10


def test_what_goes_wrong_is_said_and_can_be_tried_again(source, tmp_path):
    (tmp_path / "taken.ome.zarr").mkdir()
    (tmp_path / "taken.ome.zarr" / "note").write_text("mine")
    panel = ConvertPanel(source, tmp_path / "taken.ome.zarr")
    panel.start()
    panel.wait()
    assert panel.state == "failed"
    assert "taken.ome.zarr" in panel.notice
    assert panel.shown["verb"] == "Resume"


def test_a_conversion_ends_with_an_image_that_is_valid(source, tmp_path):
    panel = ConvertPanel(source, tmp_path / "made.ome.zarr")
    ask(panel, do="look")
    assert f"{plan_pyramid(source).objects} objects" in panel.text
    assert not (tmp_path / "made.ome.zarr").exists()
    ask(panel, do="start")
    panel.wait()
    assert panel.state == "done", panel.notice
    assert not [issue for issue in validate(tmp_path / "made.ome.zarr") if issue.severity != "should"]


@pytest.mark.s3
def test_an_upload_ends_with_every_object_verified(image, place):
    panel = UploadPanel(image, place)
    ask(panel, do="look")
    assert "would be sent, 0 objects are there already" in panel.text
    assert not list(list_objects(place))
    ask(panel, do="start")
    panel.wait()
    assert panel.state == "done", panel.notice
    assert "Verified" in panel.text
    assert {one.key: one.nbytes for one in list_objects(place)} == {
        one.key: one.nbytes for one in list_objects(image)
    }


@pytest.mark.s3
def test_an_upload_that_is_stopped_does_not_open_and_is_resumed(image, place):
    panel = UploadPanel(image, place)
    changed = panel._changed

    def stop_at_the_first_object():
        changed()
        panel.stop()

    panel._changed = stop_at_the_first_object
    panel.start()
    panel.wait()
    assert panel.state == "stopped", panel.notice
    assert "zarr.json" not in {one.key for one in list_objects(place)}
    panel._changed = changed
    panel.start()
    panel.wait()
    assert panel.state == "done", panel.notice
    assert not panel.text.startswith("Upload: 0")
    assert "zarr.json" in {one.key for one in list_objects(place)}


@pytest.mark.s3
def test_a_download_ends_with_every_object_verified(image, place, tmp_path):
    upload = UploadPanel(image, place)
    upload.start()
    upload.wait()
    panel = DownloadPanel(place, tmp_path / "copy.ome.zarr")
    ask(panel, do="look")
    assert not (tmp_path / "copy.ome.zarr").exists()
    ask(panel, do="start")
    panel.wait()
    assert panel.state == "done", panel.notice
    assert "Verified" in panel.text
    assert validate(tmp_path / "copy.ome.zarr") == validate(image)


def test_a_folder_of_this_computer_is_no_place_to_upload_to(image, tmp_path):
    with pytest.raises(StorageError, match="give a place on S3"):
        UploadPanel(image, str(tmp_path / "copy"))


@pytest.mark.parametrize("message", [{"do": "stop"}, {"do": "<b>"}, {}])
def test_a_strange_message_does_no_harm(message):
    panel = Counting()
    ask(panel, **message)
    assert (panel.state, panel.notice) == ("ready", "")


def test_a_static_page_shows_a_picture():
    assert Counting().picture().startswith(b"\x89PNG")
