"""Hostile and broken data sets: name → a function that writes one into an empty folder."""

import io
import json
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from tests.support.own_data import SHAPE, coco, write_csv, write_folders, write_images
from tests.support.voc_folder import voc_xml

Write = Callable[[Path], Any]


def picture(suffix: str = 'PNG', **options: Any) -> bytes:
    """Bytes of a small image."""
    file = io.BytesIO()
    Image.new('RGB', (60, 60), 'red').save(file, suffix, **options)
    return file.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that declares a size and holds almost nothing."""
    head = b'IHDR' + struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)
    body = b'IDAT' + zlib.compress(b'\0' * 100)
    chunks = [struct.pack('>I', len(c) - 4) + c + struct.pack('>I', zlib.crc32(c)) for c in
              (head, body, b'IEND')]  # fmt: skip
    return b'\x89PNG\r\n\x1a\n' + b''.join(chunks)


def tiff(tag: int, count: int, value: int) -> bytes:
    """A TIFF of one tag, whose values are where the file ends."""
    return b'II*\0' + struct.pack('<IHHHIII', 8, 1, tag, 4, count, value, 0)


def gif_of(frames: int) -> bytes:
    """A GIF with that many frames, cut in the last."""
    more = [Image.new('RGB', (60, 60), (at, 0, 0)) for at in range(1, frames)]
    return picture('GIF', save_all=True, append_images=more)[:-40]


def folders_with(name: str, content: bytes) -> Write:
    """Folders of two classes and one such file among the images."""

    def write(root: Path) -> None:
        write_folders(root, 4)
        (root / 'blue' / name).write_bytes(content)

    return write


def folders_with_special(make: Callable[[Path], Any], name: str = 'x.png') -> Write:
    """The same with a pipe, device, folder or link in the place of the file."""

    def write(root: Path) -> None:
        write_folders(root, 4)
        make(root / 'blue' / name)

    return write


IMAGES: dict[str, Write] = {
    'empty.png': folders_with('x.png', b''),
    'zeros.jpg': folders_with('x.jpg', b'\0' * 1000),
    'text.jpg': folders_with('x.jpg', b'hello'),
    'html.png': folders_with('x.png', b'<!DOCTYPE html><script>alert(1)</script>'),
    'half.png': folders_with('x.png', picture()[: len(picture()) // 2]),
    'half.jpg': folders_with('x.jpg', picture('JPEG')[:300]),
    'cut_gif': folders_with('x.gif', gif_of(3)),
    'bomb.png': folders_with('x.png', png_header(50_000, 50_000)),
    'widest.png': folders_with('x.png', png_header(2**31 - 1, 2**31 - 1)),
    'no_size.png': folders_with('x.png', png_header(0, 0)),
    'line.png': folders_with('x.png', png_header(1, 2_000_000_000)),
    'tags.tif': folders_with('x.tif', tiff(256, 2**32 - 1, 8)),
    'strips.tif': folders_with('x.tif', tiff(273, 2**31, 2**31)),
    'wrong_check.png': folders_with('x.png', picture().replace(b'IDAT', b'IDAX')),
    'postscript.jpg': folders_with('x.jpg', b'%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n'),
    'pickle.png': folders_with('x.png', b"cos\nmkdir\n(S'ran'\ntR."),
    'pipe': folders_with_special(os.mkfifo),
    'device': folders_with_special(lambda path: path.symlink_to('/dev/zero')),
    'loop': folders_with_special(lambda path: path.symlink_to(path.name)),
    'broken_link': folders_with_special(lambda path: path.symlink_to('nowhere')),
}


def voc(xml: str | bytes, name: str = 'image_0.xml') -> Write:
    """Images and annotations, one of which is this text."""

    def write(root: Path) -> None:
        write_images(root / 'JPEGImages', 2)
        (root / 'Annotations').mkdir()
        good = voc_xml([dict(name='blue', box=(5, 5, 50, 50))], SHAPE)
        (root / 'Annotations' / 'image_1.xml').write_text(good)
        data = xml if isinstance(xml, bytes) else xml.encode()
        (root / 'Annotations' / name).write_bytes(data)

    return write


GOOD = voc_xml([dict(name='blue', box=(5, 5, 50, 50))], SHAPE)
ENTITIES = ''.join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 12))
XML: dict[str, Write] = {
    'entities': voc(f'<!DOCTYPE a [<!ENTITY e0 "x">{ENTITIES}]>{GOOD}'),
    'external': voc(f'<!DOCTYPE a [<!ENTITY x SYSTEM "/etc/passwd">]>{GOOD}'),
    'dtd': voc(f'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x">{GOOD}'),
    'deep': voc('<annotation>' + '<a>' * 50_000 + '</a>' * 50_000 + '</annotation>'),
    'half': voc(GOOD[: len(GOOD) // 2]),
    'empty': voc(''),
    'binary': voc(b'\0\1\2' * 50),
    'no_encoding': voc('<?xml version="1.0" encoding="evil"?>' + GOOD),
    'infinite': voc(GOOD.replace('>5<', '>inf<')),
    'nan': voc(GOOD.replace('>5<', '>nan<')),
    'words': voc(GOOD.replace('>5<', '>__import__("os")<')),
    'huge': voc(GOOD.replace('>50<', '>1e308<')),
    'no_box': voc(GOOD.replace('bndbox', 'box')),
    'no_name': voc(GOOD.replace('>blue<', '> <')),
    'outside': voc(GOOD.replace('>5<', '>500<').replace('>50<', '>900<')),
    'missing_image': voc(GOOD, '../Annotations/no_such_image.xml'),
}


def coco_with(change: Callable[[dict[str, Any]], Any]) -> Write:
    """A COCO file after a change; a text in place of it where `change` returns one."""

    def write(root: Path) -> None:
        write_images(root / 'images', 4)
        content = coco(range(4))
        text = change(content)
        (root / 'annotations').mkdir()
        path = root / 'annotations' / 'instances_all.json'
        path.write_text(text if isinstance(text, str) else json.dumps(content))

    return write


def first(part: str, **values: Any) -> Write:
    """A COCO file whose first image, annotation or category has other values."""
    return coco_with(lambda content: content[part][0].update(values))


DIGITS = '1' + '0' * 6000
NESTED = '[' * 100_000 + ']' * 100_000
COCO: dict[str, Write] = {
    'half': coco_with(lambda content: json.dumps(content)[:200]),
    'empty': coco_with(lambda content: ' '),
    'nested': coco_with(lambda content: f'{{"images": {NESTED}, "annotations": []}}'),
    'list': coco_with(lambda content: '{"images": 3, "annotations": {}, "categories": null}'),
    'nan': first('annotations', bbox=[float('nan'), 0, 5, 5]),
    'infinite': first('annotations', bbox=[0, 0, float('inf'), 5]),
    'three': first('annotations', bbox=[1, 2, 3]),
    'words': first('annotations', bbox=['a', 'b', 'c', 'd']),
    'text': first('annotations', bbox='1,2,3,4'),
    'no_box': first('annotations', bbox=None),
    'no_image': first('annotations', image_id=999),
    'no_category': first('annotations', category_id=999),
    'list_id': first('annotations', image_id=[1]),
    'no_file': first('images', file_name='nothing.png'),
    'number_file': first('images', file_name=7),
    'outside': first('images', file_name='../../../etc/passwd'),
    'absolute': first('images', file_name='/etc/passwd'),
    'number_class': first('categories', name=5),
    'no_class': first('categories', name=''),
    'same_class': first('categories', name='red'),
    'digits': coco_with(lambda content: json.dumps(content).replace('"id": 7', f'"id": {DIGITS}')),
}


def csv_of(text: str | bytes) -> Write:
    """Four images, and a table of labels with this content."""

    def write(root: Path) -> None:
        write_csv(root, 4)
        data = text if isinstance(text, bytes) else text.encode()
        (root / 'labels.csv').write_bytes(data)

    return write


ROWS = ''.join(f'image_{at}.png,{("blue", "red")[at % 2]}\n' for at in range(4))
CSV: dict[str, Write] = {
    'empty': csv_of(''),
    'header': csv_of('file,label\n'),
    'zeros': csv_of(b'\0' * 200),
    'quote': csv_of('file,label\n"' + ROWS),
    'missing': csv_of('file,label\n' + ROWS + 'nothing.png,blue\n'),
    'outside': csv_of('file,label\n' + ROWS + '../../../../etc/passwd,blue\n'),
    'absolute': csv_of('file,label\n' + ROWS + '/etc/passwd,blue\n'),
    'device': csv_of('file,label\n' + ROWS + '/dev/zero,blue\n'),
    'latin1': csv_of(('file,label\n' + ROWS + 'image_0.png,caf\xe9\n').encode('latin-1')),
    'field': csv_of('file,label\n' + ROWS + 'image_0.png,' + 'x' * 200_000 + '"\n'),
}


def yolo(labels: str | bytes = '0 0.5 0.5 0.5 0.5\n', yaml: str = 'names: [blue, red]\n') -> Write:
    """Images and label files of YOLO, one with this content, and data.yaml."""

    def write(root: Path) -> None:
        write_images(root / 'images', 4)
        (root / 'labels').mkdir()
        for at in range(4):
            (root / 'labels' / f'image_{at}.txt').write_text('1 0.5 0.5 0.5 0.5\n')
        data = labels if isinstance(labels, bytes) else labels.encode()
        (root / 'labels' / 'image_0.txt').write_bytes(data)
        (root / 'data.yaml').write_text(yaml)

    return write


ALIASES = 'a0: &a0 [x]\n' + ''.join(
    f'a{i}: &a{i} [{", ".join([f"*a{i - 1}"] * 10)}]\n' for i in range(1, 12)
)
YOLO: dict[str, Write] = {
    'nan': yolo('0 nan 0.5 0.5 0.5\n'),
    'infinite': yolo('0 inf 0.5 0.5 0.5\n'),
    'pixels': yolo('0 50 50 20 20\n'),
    'negative': yolo('-1 0.5 0.5 0.5 0.5\n'),
    'no_class': yolo('99 0.5 0.5 0.5 0.5\n'),
    'digits': yolo('1' * 6000 + ' 0.5 0.5 0.5 0.5\n'),
    'three': yolo('0 0.5 0.5\n'),
    'binary': yolo(b'\0\1\xff' * 40),
    'yaml_python': yolo(yaml='names: !!python/object/apply:os.mkdir [ran]\n'),
    'yaml_aliases': yolo(yaml=ALIASES + 'names: *a11\n'),
    'yaml_broken': yolo(yaml='names: [blue\n'),
    'yaml_nested': yolo(yaml='names: ' + '[' * 5000 + '\n'),
}

DATA = {
    f'{kind}/{name}': write
    for kind, cases in dict(images=IMAGES, xml=XML, coco=COCO, csv=CSV, yolo=YOLO).items()
    for name, write in cases.items()
}
