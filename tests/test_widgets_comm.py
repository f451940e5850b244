"""A view is answered beside a running cell: its messages go where the page sends them."""

import pytest
from ipykernel.comm.comm import BaseComm

from ngff_practical.widgets.base import Widget


class Plain(Widget):
    _esm = "export default { render() {} }"


@pytest.fixture
def comm(monkeypatch):
    """A comm as ipykernel makes it, that has last spoken from a cell."""
    monkeypatch.setattr("comm.create_comm", BaseComm)
    made = Plain().comm
    assert isinstance(made, BaseComm)
    made._reply_subshell_id = None
    return made


def test_a_message_stays_in_the_subshell_that_the_page_asked_for(comm):
    route = getattr(comm, "_reply_subshell_for", None)  # as ipykernel's kernelbase asks
    subshell = route({}, "beside") if route is not None else "beside"
    assert subshell == "beside"
