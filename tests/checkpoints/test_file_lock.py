"""One writer per file: on POSIX by flock, on Windows by a byte behind the content."""

import errno
import os

import pytest

from tcnn_mm.checkpoints.file_lock import lock_byte, lock_file


def test_one_open_file_at_a_time_has_the_lock(tmp_path):
    """A file object and a descriptor; closing frees it."""
    with open(tmp_path / 'a', 'w') as first:
        assert lock_file(first)
        with open(tmp_path / 'a') as second:
            assert not lock_file(second) and not lock_file(second.fileno())
    with open(tmp_path / 'a') as second:
        assert lock_file(second)


class Locking:
    """msvcrt.locking of one byte: by position, with the errors of Windows."""

    def __init__(self):
        self.locked = set()

    def __call__(self, number):
        position = os.lseek(number, 0, os.SEEK_CUR)
        if position in self.locked:
            raise PermissionError(errno.EACCES, 'Permission denied')
        self.locked.add(position)


def test_windows_locks_a_byte_that_nobody_reads(tmp_path):
    """Behind the content, below 2³¹; the position of the file is as before, locked or not."""
    (tmp_path / 'a').write_text('text')
    locking = Locking()
    with open(tmp_path / 'a', 'r+b', buffering=0) as file:
        file.seek(2)
        assert lock_byte(file.fileno(), lambda: locking(file.fileno()))
        assert not lock_byte(file.fileno(), lambda: locking(file.fileno()))
        assert file.read() == b'xt'
        (position,) = locking.locked
        assert 2**30 < position < 2**31
    assert (tmp_path / 'a').stat().st_size == 4


@pytest.mark.parametrize('number, busy', [(errno.EDEADLK, True), (errno.EIO, False)])
def test_only_a_held_lock_is_busy(tmp_path, number, busy):
    """Another error of the system passes."""

    def lock():
        raise OSError(number, os.strerror(number))

    with open(tmp_path / 'a', 'w') as file:
        if busy:
            assert not lock_byte(file.fileno(), lock)
        else:
            with pytest.raises(OSError, match='Input/output'):
                lock_byte(file.fileno(), lock)
