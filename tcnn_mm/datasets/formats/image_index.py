"""Which image of a folder a name in an annotation means."""

import os.path as osp
from collections.abc import Iterable
from typing import NamedTuple
from unicodedata import normalize
from urllib.parse import parse_qsl, unquote, urlsplit

from tcnn_mm.datasets.formats.parts import part_of_path


class Match(NamedTuple):
    """An image found for a name.

    Attributes:
        file (str, optional): Path below the root; None where no image, or several, fit.
        how (str): '' for the name as written; else how it was found ('by its base name'), or,
            without a file, what is wrong ('no such image', '2 images of this name: …').
    """

    file: str | None
    how: str


def clean_name(name: str) -> str:
    """A name as written, with '/' for its separators and without './', '//' and blanks around."""
    path = osp.normpath(name.strip().replace('\\', '/'))
    return path.lstrip('/') if path != '.' else ''


def url_paths(name: str) -> tuple[str, str]:
    """The paths of a URL: its own, and the last in its query (`…/local-files/?d=a/1.jpg`)."""
    try:
        url = urlsplit(name)
    except ValueError:  # brackets that are no address
        return clean_name(unquote(name)), ''
    values = [value for _, value in parse_qsl(url.query)]
    return clean_name(unquote(url.path)), clean_name(values[-1]) if values else ''


class ImageIndex:
    """Finds images by the names that annotations give them.

    A name is compared with the ends of the images' paths, whole names of folders at a time: the
    longest agreeing end wins, then the image nearest to the annotation file. So 'cam/1.jpg',
    './cam/1.jpg', 'C:\\data\\cam\\1.jpg' and 'http://host/upload/1.jpg' are all found; a name
    without extension, with another case, in URL encoding or with accents in another form (macOS
    writes 'é' as two characters) is tried after those.

    Args:
        images: Paths below the root, with '/'.
    """

    def __init__(self, images: Iterable[str]) -> None:
        self.images = set(images)
        self._by_name: dict[str, list[str]] = {}
        self._by_stem: dict[str, list[str]] = {}
        self._by_case: dict[str, list[str]] = {}
        self._by_tail: dict[str, list[str]] = {}  # the last folder and the name
        self._of_part: dict[str, ImageIndex] = {}
        for image in sorted(self.images):
            base = osp.basename(image)
            self._by_name.setdefault(base, []).append(image)
            self._by_stem.setdefault(osp.splitext(base)[0], []).append(image)
            self._by_case.setdefault(_folded(base), []).append(image)
            self._by_tail.setdefault(_tail(image), []).append(image)

    def find(self, name: str, near: str = '', stem: bool = False, part: str = 'all') -> Match:
        """Find the image of a name.

        Args:
            name: As the annotation says it.
            near: Folder of the annotation file below the root; breaks ties.
            stem: The name has no extension by its format (the name of an XML file).
            part: That the annotation says; among several images of this name, those in folders
                of the part count.
        """
        match = self._find(name, near, stem)
        if match.file is not None or part == 'all':
            return match
        if part not in self._of_part:
            self._of_part[part] = ImageIndex(
                image for image in self.images if part_of_path(osp.dirname(image)) == part
            )
        mine = self._of_part[part]._find(name, near, stem)
        return mine if mine.file else match

    def _find(self, name: str, near: str, stem: bool) -> Match:
        wanted = clean_name(name)
        written = clean_name(f'/{name}/') if name != name.strip() else wanted  # keeps the blanks
        for place in (f'{near}/{written}', written, f'{near}/{wanted}', wanted):
            if not stem and place.lstrip('/') in self.images:
                return Match(place.lstrip('/'), '')
        if not wanted:
            return Match(None, 'no file name')
        if stem:
            found = self._nearest(self._by_stem, wanted, near, stem=True)
            if not found and not wanted.isascii():
                others = [text for text in _forms(wanted) if osp.basename(text) in self._by_stem]
                found = self._nearest(self._by_stem, others[0], near, stem=True) if others else None
            return found or Match(None, 'no image of this name')
        path, query = url_paths(name)
        for table, text, how, by_stem in (
            (self._by_name, written, 'by its base name', False),
            (self._by_name, wanted, 'by its base name', False),
            (self._by_name, path, 'with its URL decoded', False),
            (self._by_name, query, 'with its URL decoded', False),
            (self._by_case, wanted, 'with another case of its letters', False),
            (self._by_stem, wanted, 'without extension', True),
        ):
            found = self._nearest(table, text, near, by_stem)
            if found:
                relative = found.file and found.file.endswith((f'/{wanted}', f'/{written}'))
                if found.file is None or relative:
                    return found
                same_case = table is self._by_case and _same_but_accents(found.file, wanted)
                return Match(found.file, 'with its accents in another form' if same_case else how)
        base, suffix = osp.splitext(osp.basename(wanted))
        others = self._by_stem.get(base, [])
        if suffix and others:  # it may be a mask of the image
            return Match(None, f'no such image, but one of type {osp.splitext(others[0])[1]}')
        return Match(None, 'no such image')

    def _nearest(
        self, table: dict[str, list[str]], wanted: str, near: str, stem: bool
    ) -> Match | None:
        """The image whose path ends most like `wanted`, then shares most folders with `near`."""
        key = osp.basename(wanted)
        found = table.get(_folded(key) if table is self._by_case else key, [])
        if table is self._by_name and '/' in wanted:
            found = self._by_tail.get(_tail(wanted), found)
        if len(found) < 2:
            return Match(found[0], '') if found else None
        folders = wanted.split('/')[-2::-1]
        scores = [(_shared(folders, f.split('/')[-2::-1]), _common(near, f)) for f in found]
        highest = max(scores)
        best = [f for f, score in zip(found, scores, strict=True) if score == highest]
        if len(best) == 1:
            return Match(best[0], '')
        return Match(None, f'{len(best)} images of this name: {", ".join(best[:3])}')


def _folded(name: str) -> str:
    """A name without the case of its letters, accents in one form."""
    return normalize('NFC', name.casefold()) if not name.isascii() else name.casefold()


def _same_but_accents(file: str, name: str) -> bool:
    """Whether the base names agree in the case of their letters."""
    return normalize('NFC', osp.basename(file)) == normalize('NFC', osp.basename(name))


def _forms(name: str) -> list[str]:
    """A name with its accents in both forms, as one character and as two."""
    return [normalize('NFC', name), normalize('NFD', name)]


def _tail(path: str) -> str:
    return '/'.join(path.split('/')[-2:])


def _shared(one: list[str], other: list[str]) -> int:
    """How many folders agree, from the innermost outwards."""
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count


def _common(folder: str, file: str) -> int:
    """How many folders two paths share, from the root on."""
    return _shared([part for part in folder.split('/') if part], file.split('/')[:-1])
