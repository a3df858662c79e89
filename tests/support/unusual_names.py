"""Names of files that are legal and unusual, for tests of everything that names an image."""

import os
from pathlib import Path

import pytest
from PIL import Image

# Of one image each; the first is not UTF-8 (a zip of Windows, unpacked on Linux).
NAMES = (
    os.fsdecode(b'caf\xe9.png'),
    'new\nline.png',
    'quote\'s "q", {x}.png',
    '-dash.png',
    'literal\\xe9.png',
    ' blank.png',
    'long' * 60 + '.png',
    'ünï 猫.png',
)


def save_images(folder: Path, names=NAMES, size: tuple[int, int] = (80, 60)) -> list[str]:
    """Save one PNG of its own colour per name; returns the paths.

    Skips the test, with the reason, where the file system refuses a name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = [str(folder / name) for name in names]
    for number, path in enumerate(paths):
        try:
            Image.new('RGB', size, (30 * number, 200 - 20 * number, 90)).save(path)
        except (OSError, UnicodeError) as error:
            pytest.skip(f'the file system refuses {path!a}: {error}')
    return paths
