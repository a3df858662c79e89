r"""Names of files as text: image ids, lines of messages, names of files made for an image.

A file name on Linux is any bytes. Python keeps those that are not UTF-8 as lone surrogates (byte
E9 as '\udce9'), which no text file and no terminal takes. A path stays as it is, so that the file
can be opened; whatever is printed or written as text goes through this module.
"""

import hashlib
import os
import re
import unicodedata

from tcnn_mm.errors import UserError

# Control characters, lone surrogates, separators of lines and paragraphs.
_UNPRINTABLE = ('Cc', 'Cs', 'Zl', 'Zp')
# What an escape looks like; a name that has one by itself gets its backslashes doubled.
_ESCAPE = re.compile(r'\\(x[0-9a-f]{2}|u[0-9a-f]{4}|\\)')
# Of a file name on the usual file systems, bytes.
_LONGEST = 255
# Of the folders that an id brings: a whole path has 4096 bytes, on macOS 1024.
_LONGEST_FOLDER = 512


def _escape(character: str) -> str:
    """`\\xNN` for a byte that is not UTF-8 and for a control character, else `\\uNNNN`."""
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        code -= 0xDC00
    return f'\\x{code:02x}' if code < 0x100 else f'\\u{code:04x}'


def _is_printable(character: str) -> bool:
    return character != '\ufeff' and unicodedata.category(character) not in _UNPRINTABLE


def printable(text: str | os.PathLike[str]) -> str:
    r"""A path or name for a message: one line that can be encoded.

    Bytes that are not UTF-8 and control characters become `\xNN`, other lone surrogates and
    separators of lines `\uNNNN`.
    """
    text = os.fspath(text)
    if text.isprintable():
        return text
    return ''.join(c if _is_printable(c) else _escape(c) for c in text)


def image_id(file: str) -> str:
    r"""The id of an image: its file as printable text, different for different files.

    Most ids are the name itself. Beside what :func:`printable` escapes, blanks at the ends are
    `\x20`, because lists of ids are read without them; backslashes are doubled where the name would
    otherwise be that of an escaped one.
    """
    inner = file.strip()
    start = file.index(inner)
    edges = file[:start], file[start + len(inner) :]
    if all(map(_is_printable, inner)) and not _ESCAPE.search(inner) and not any(edges):
        return file
    before, after = (''.join(map(_escape, edge)) for edge in edges)
    return before + printable(inner.replace('\\', '\\\\')) + after


def png_path(image: str, taken: set[str] | None = None) -> str:
    """A path for a PNG that belongs to an image, below any folder.

    Args:
        image: An id, or a path without its extension; its folders become folders. It never leads
            out of the folder that it is joined to.
        taken: Paths given so far; a number is added to one that is taken, and the result is
            recorded.

    Returns:
        Relative path with '/' whose names are printable and not too long for a file system.
    """
    parts = [printable(part) for part in image.split('/') if part not in ('', '.', '..')]
    *folders, stem = parts or ['image']
    folder = ''.join(f'{_shorten(name)}/' for name in folders)
    if len(folder.encode()) > _LONGEST_FOLDER:
        folder = f'~{hashlib.sha256(folder.encode()).hexdigest()[:12]}/'
    path, number = folder + _shorten(stem, '.png'), 2
    while taken is not None and path in taken:
        path, number = folder + _shorten(stem, f'_{number}.png'), number + 1
    if taken is not None:
        taken.add(path)
    return path


def _shorten(name: str, ending: str = '') -> str:
    """Name and ending; of a name that is too long the start and a hash of the whole."""
    encoded, most = name.encode(), _LONGEST - len(ending)
    if len(encoded) <= most:
        return name + ending
    mark = '~' + hashlib.sha256(encoded).hexdigest()[:12]
    return encoded[: most - len(mark)].decode(errors='ignore') + mark + ending


def is_encodable(text: str) -> bool:
    """Whether a text has no lone surrogates: it can be written as UTF-8."""
    return not any(unicodedata.category(c) == 'Cs' for c in text)


def check_class_name(name: str, where: str) -> None:
    """Refuse a class name that no list, table or file name can hold.

    Args:
        name: The class.
        where: File, line or folder that names it, for the error.

    Raises:
        UserError: Empty, not UTF-8, or with control characters.
    """
    if not name.strip():
        raise UserError(f'{printable(where)}: a class without a name; give it one')
    if not is_encodable(name):
        raise UserError(
            f'{printable(where)}: the class name "{printable(name)}" is not UTF-8; rename it '
            '(convmv -f latin1 -t utf8 renames whole folders)'
        )
    if not all(map(_is_printable, name)):
        raise UserError(
            f'{printable(where)}: the class name "{printable(name)}" has control characters; '
            'rename it'
        )
