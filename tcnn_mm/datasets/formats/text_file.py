"""Text files of annotations: UTF-8, or an error that names the encoding."""

import codecs
import os.path as osp
import re
import shlex

from tcnn_mm.errors import UserError

# Marks at the beginning of a file; that of UTF-32 begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, 'UTF-32'),
    (codecs.BOM_UTF32_BE, 'UTF-32'),
    (codecs.BOM_UTF16_LE, 'UTF-16'),
    (codecs.BOM_UTF16_BE, 'UTF-16'),
)
_HEAD = 4096


def read_text(path: str, errors: str = 'strict') -> str:
    """Read a text file in UTF-8, with or without a byte order mark.

    Args:
        path: The file.
        errors: 'surrogateescape' keeps bytes that are not UTF-8, for lists of file names. Defaults
            to an error.

    Returns:
        Its text without the mark, line ends as in the file.

    Raises:
        UserError: The file cannot be read, or has another encoding; names the encoding that it
            looks like, the line, and a command that converts it.
    """
    try:
        with open(path, 'rb') as file:
            data = file.read()
    except OSError as error:
        raise UserError(f'{path}: cannot be read ({error.strerror})') from error
    return decode_text(data, path, errors)


def decode_text(data: bytes, path: str, errors: str = 'strict') -> str:
    """Decode the content of a text file as :func:`read_text` does.

    Args:
        data: The content.
        path: The file, for the error.
        errors: As for :func:`read_text`.
    """
    encoding = wide_encoding(data)
    if encoding:
        raise UserError(f'{path}: this is {encoding}, expected UTF-8; {_remedy(encoding, path)}')
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        return data.decode('utf-8', errors)
    except UnicodeDecodeError as error:
        if b'\0' in data[:_HEAD]:
            raise UserError(f'{path}: not a text file') from error
        line = data.count(b'\n', 0, error.start) + 1
        encoding = _narrow_encoding(data)
        raise UserError(
            f'{path}, line {line}: byte 0x{data[error.start]:02x} is not UTF-8, it looks like '
            f'{encoding}; {_remedy(encoding, path)}'
        ) from error


def wide_encoding(data: bytes) -> str | None:
    """'UTF-16' or 'UTF-32' where a file begins as such; None else.

    Without a byte order mark it is UTF-16 where every second of the first bytes is zero.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return encoding
    head = data[:_HEAD]
    even, odd = head[0::2].count(0), head[1::2].count(0)
    most, least = max(even, odd), min(even, odd)
    return 'UTF-16' if most > 0.4 * len(head) and least < 0.1 * len(head) else None


def _narrow_encoding(data: bytes) -> str:
    """What text that is not UTF-8 looks like, by the bytes outside of ASCII."""
    runs = re.findall(rb'[\x80-\xff]+', data)
    if all(len(run) % 2 == 0 for run in runs):  # characters of two bytes each
        return 'GB18030'
    # Windows-1252 has quotes and dashes where Latin-1 has control characters.
    return 'Windows-1252' if re.search(rb'[\x80-\x9f]', data) else 'Latin-1'


def _remedy(encoding: str, path: str) -> str:
    """A command that writes the file in UTF-8."""
    code = {'Latin-1': 'LATIN1', 'Windows-1252': 'CP1252'}.get(encoding, encoding)
    stem, suffix = osp.splitext(osp.basename(path))
    old, new = shlex.quote(stem + suffix), shlex.quote(f'{stem}_utf8{suffix}')
    return f'convert it: iconv -f {code} -t UTF-8 {old} > {new}'
