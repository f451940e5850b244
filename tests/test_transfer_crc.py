"""Checksums that Python lacks, against the check values of their definitions and another implementation."""

import google_crc32c
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngff_practical.transfer.crc import crc32c, crc64nvme

DIGITS = b"123456789"


def test_check_values_are_those_of_the_definitions() -> None:
    assert crc32c([DIGITS]) == 0xE3069283
    assert crc64nvme([DIGITS]) == 0xAE8B14860A799888


@given(data=st.binary(max_size=5000), cut=st.integers(0, 5000))
def test_crc32c_agrees_with_another_implementation_however_it_is_cut(data: bytes, cut: int) -> None:
    assert crc32c([data[:cut], data[cut:]]) == google_crc32c.value(data)


@pytest.mark.parametrize("nbytes", [1023, 1024, 1025, 4095, 2**20 + 7, 2**24 + 2**20 + 3])
def test_many_bytes_at_once_are_the_same_as_one_after_the_other(nbytes: int) -> None:
    data = (bytes(range(251)) * (nbytes // 251 + 1))[:nbytes]
    assert crc32c([data]) == google_crc32c.value(data)


def test_crc64_of_a_block_is_that_of_its_bytes_one_after_the_other() -> None:
    data = bytes(range(256)) * 40
    assert crc64nvme([data]) == crc64nvme([data[at : at + 100] for at in range(0, len(data), 100)])
