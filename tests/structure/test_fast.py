"""Every test that `make test-fast` leaves out exists."""

from support.long import FILES


def test_every_module_that_is_left_out_is_one() -> None:
    assert [str(file) for file in FILES if not file.is_file()] == []
