"""Images that are in a data set more than once: the same file, or nearly the same pixels.

Letters: N images, n of a block.
"""

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from PIL import Image

from tcnn_mm.datasets.image_io import decode_small, read_bytes

# Bits of 64 in which the difference hashes of near-duplicates may differ.
MAX_DISTANCE = 8
# Side of the thumbnails that confirm it, pixels.
SIDE = 16
# Near-duplicates differ by a root mean square of at most this share of the weaker contrast (the
# standard deviation within a thumbnail) or, where there is hardly any, this many grey levels; and
# nowhere by more than MAX_CELL levels: there an object has moved.
SHARE, LEAST = 0.1, 1.0
MAX_CELL = 24
# A JPEG is decoded to no fewer pixels per side than this.
DECODED = 32
# Images compared with all others at a time, and pairs of thumbnails.
BLOCK, PAIRS = 64, 8192


class Fingerprint(NamedTuple):
    """What two images are compared by.

    Attributes:
        content (str): Hash of the bytes of the file.
        dhash (int): 64-bit difference hash: where grey grows from one cell to the next.
        thumbnail (bytes): (16, 16, 3) uint8 RGB.
    """

    content: str
    dhash: int
    thumbnail: bytes


class DuplicateGroup(NamedTuple):
    """Images that are duplicates of each other.

    Attributes:
        exact (bool): All files have the same bytes.
        images (tuple[tuple[str, str], ...]): (part, file) of each, in the order given.
    """

    exact: bool
    images: tuple[tuple[str, str], ...]

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts that share the image, in order; two and more are a leak between parts."""
        return tuple(dict.fromkeys(part for part, _ in self.images))


def fingerprint(path: str) -> Fingerprint:
    """Decode a whole image file and take its fingerprint.

    Raises:
        UserError: It cannot be read or decoded; one line with the path.
    """
    data = read_bytes(path)
    image = Image.fromarray(decode_small(data, DECODED, path))
    thumbnail = image.resize((SIDE, SIDE), Image.Resampling.BOX)
    return Fingerprint(
        content=hashlib.blake2b(data, digest_size=16).hexdigest(),
        dhash=difference_hash(image),
        thumbnail=thumbnail.tobytes(),
    )


def difference_hash(image: Image.Image) -> int:
    """64 bits of an RGB image: whether each of 8 × 8 cells is darker than its right neighbour."""
    grey = np.asarray(image.convert('L').resize((9, 8), Image.Resampling.BOX), np.int16)
    # One level is rounding: flat areas have no gradient.
    bits = grey[:, 1:] > grey[:, :-1] + 1
    return int.from_bytes(np.packbits(bits).tobytes(), 'big')


def find_duplicates(
    parts: Mapping[str, Mapping[str, Fingerprint]], max_distance: int = MAX_DISTANCE
) -> list[DuplicateGroup]:
    """Group the images that are the same file, or nearly the same, within and between parts.

    Near-duplicates are re-encoded or resized copies: hashes that differ in few bits, and
    thumbnails that agree. Groups are closed: of three frames of a film, the first and the third
    are in one group if both are near the second. Mirrored, rotated or cut copies are not found.

    Args:
        parts: Part → file → its fingerprint.
        max_distance: Bits in which hashes may differ; 0 to 64, -1 for files of the same bytes
            alone.

    Returns:
        Groups of two and more, in the order of their first images.
    """
    names = [(part, file) for part, mine in parts.items() for file in mine]
    prints = [found for mine in parts.values() for found in mine.values()]
    # One image per content: the others are in its group.
    first: dict[str, int] = {}
    group = np.array([first.setdefault(p.content, at) for at, p in enumerate(prints)], np.int64)
    if max_distance >= 0:
        different = np.array(sorted(first.values()), np.int64)
        chosen = [prints[at] for at in different]
        group = _join(group, different[join_near(chosen, max_distance)], different)
    members: dict[int, list[int]] = {}
    for at, mine in enumerate(group.tolist()):
        members.setdefault(mine, []).append(at)
    return [
        DuplicateGroup(
            exact=len({prints[at].content for at in mine}) == 1,
            images=tuple(names[at] for at in mine),
        )
        for mine in members.values()
        if len(mine) > 1
    ]


def _join(group: np.ndarray, joined: np.ndarray, different: np.ndarray) -> np.ndarray:
    """Replace the number `different[i]` of a group by `joined[i]`: (N,), (M,), (M,) → (N,)."""
    number = np.arange(len(group))
    number[different] = joined
    return number[group]


def join_near(prints: list[Fingerprint], max_distance: int) -> np.ndarray:
    """The first image of the group of near-duplicates of each image: (N,) int64."""
    group = np.arange(len(prints))
    if not prints:
        return group
    pixels = np.frombuffer(b''.join(p.thumbnail for p in prints), np.uint8)
    pixels = pixels.reshape(len(prints), SIDE, SIDE, 3)
    contrast = np.sqrt(pixels.var((1, 2)).mean(1)).astype(np.float32)
    thumbnails, coarse = pixels.reshape(len(prints), -1), coarse_vectors(pixels)
    hashes = np.array([p.dhash for p in prints], np.uint64)
    for start in range(0, len(prints), BLOCK):
        rows, columns = slice(start, start + BLOCK), slice(start, None)
        close = count_bits(hashes[rows, None] ^ hashes[columns]) <= max_distance
        close &= group[rows, None] != group[columns]
        if close.sum() > PAIRS:  # flat images: their hashes say little
            least = coarse_distances(coarse[rows], coarse[columns])
            close &= least <= rms_limit(contrast[rows, None], contrast[columns])
        i, j = (index + start for index in np.nonzero(np.triu(close, 1)))
        for at in range(0, len(i), PAIRS):
            one, other = i[at : at + PAIRS], j[at : at + PAIRS]
            # Those of one group are joined already, by a third image.
            apart = group[one] != group[other]
            one, other = one[apart], other[apart]
            limit = rms_limit(contrast[one], contrast[other])
            near = is_near(thumbnails[one], thumbnails[other], limit)
            for pair in zip(one[near], other[near], strict=True):
                low, high = sorted(group[list(pair)])
                if low != high:
                    group[group == high] = low
    return group


def rms_limit(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Root mean square up to which images of these contrasts may differ; shapes broadcast."""
    return np.maximum(SHARE * np.minimum(one, other), LEAST)


def coarse_vectors(pixels: np.ndarray) -> np.ndarray:
    """Thumbnails (N, 16, 16, 3) uint8 → (N, 192) float32, means of 2 × 2 cells around 0."""
    cells = pixels.reshape(len(pixels), SIDE // 2, 2, SIDE // 2, 2, 3)
    return cells.mean((2, 4), dtype=np.float32).reshape(len(pixels), -1) - 128


def coarse_distances(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Lower bounds of the root mean squares between thumbnails: (n, D), (m, D) → (n, m).

    The mean of the squares of differences is no smaller than that of the differences of means.
    """
    square = np.square(one).sum(1)[:, None] + np.square(other).sum(1) - 2 * (one @ other.T)
    # Less than the error of float32.
    return np.sqrt(np.maximum(square / one.shape[1] - 0.1, 0))


def count_bits(values: np.ndarray) -> np.ndarray:
    """Number of ones of uint64 values, uint8 of the same shape; numpy 1 has no function for it."""
    if hasattr(np, 'bitwise_count'):
        return np.bitwise_count(values)
    one, two, four = (np.uint64(int(b * 8, 16)) for b in ('55', '33', '0f'))
    values = values - ((values >> np.uint64(1)) & one)
    values = (values & two) + ((values >> np.uint64(2)) & two)
    values = (values + (values >> np.uint64(4))) & four
    return ((values * np.uint64(0x0101010101010101)) >> np.uint64(56)).astype(np.uint8)


def is_near(one: np.ndarray, other: np.ndarray, limit: np.ndarray) -> np.ndarray:
    """Whether thumbnails (n, D) uint8 agree up to a root mean square (n,) → (n,) bool."""
    apart = np.abs(one.astype(np.int16) - other)
    # The largest difference first: it rules most pairs out.
    near = apart.max(1, initial=0) <= MAX_CELL
    rms = np.sqrt(np.square(apart[near], dtype=np.float32).mean(1))
    near[near] = rms <= limit[near]
    return near
