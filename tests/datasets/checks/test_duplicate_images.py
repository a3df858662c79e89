"""Copies are found whatever they are called; different drawings of one style are not copies."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tcnn_mm.datasets.checks.duplicate_images import (
    Fingerprint,
    count_bits,
    find_duplicates,
    fingerprint,
    join_near,
)
from tcnn_mm.datasets.mini_voc.drawing import draw_source, draw_split
from tcnn_mm.errors import UserError


def photo(seed, size=(320, 240)):
    """An image with structure at all scales, as photos have."""
    random, image = np.random.default_rng(seed), np.zeros((size[1], size[0], 3))
    for cells in (2, 4, 8, 16, 64):
        noise = random.integers(0, 255, (cells, cells, 3), np.uint8)
        image += np.asarray(Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC)) / cells
    return Image.fromarray((255 * image / image.max()).astype(np.uint8))


def groups_of(folder, **options):
    """Groups of the images of a folder, as file names."""
    prints = {path.name: fingerprint(str(path)) for path in sorted(folder.iterdir())}
    return [
        [file for _, file in group.images] for group in find_duplicates(dict(a=prints), **options)
    ]


def test_copies_within_and_between_parts(tmp_path):
    """The same bytes are exact; another part is named; single images are in no group."""
    for name, seed in (('a.png', 0), ('b.png', 0), ('c.png', 0), ('d.png', 1)):
        photo(seed).save(tmp_path / name)
    prints = {name: fingerprint(str(tmp_path / name)) for name in ('a.png', 'b.png', 'c.png')}
    other = {'d.png': fingerprint(str(tmp_path / 'd.png'))}
    within, between = prints.copy(), {'c.png': prints.pop('c.png')}
    (group,) = find_duplicates(dict(train=within, val=other))
    assert group.exact and group.parts == ('train',)
    assert [file for _, file in group.images] == ['a.png', 'b.png', 'c.png']
    (group,) = find_duplicates(dict(train=prints, val=between | other))
    assert group.images == (('train', 'a.png'), ('train', 'b.png'), ('val', 'c.png'))
    assert group.parts == ('train', 'val')
    assert find_duplicates({}) == find_duplicates(dict(train=other, val={})) == []


@pytest.mark.parametrize('seed', range(4))
def test_reencoded_and_resized_copies_are_near(tmp_path, seed):
    """Other bytes, the same image; a shifted half is another image."""
    image = photo(seed)
    image.save(tmp_path / 'a.png')
    image.save(tmp_path / 'b.jpg', quality=50)
    image.resize((800, 600)).save(tmp_path / 'c.jpg')
    image.resize((200, 150)).save(tmp_path / 'd.webp')
    image.crop((100, 0, 320, 240)).save(tmp_path / 'e.png')
    photo(seed + 10).save(tmp_path / 'f.png')
    assert groups_of(tmp_path) == [['a.png', 'b.jpg', 'c.jpg', 'd.webp']]
    assert groups_of(tmp_path, max_distance=-1) == []


def test_drawings_of_one_style_are_different_images(tmp_path):
    """Scenes and signs of MiniVOC on plain grounds: none is called a copy of another."""
    for number, (image, _) in enumerate(itertools.islice(draw_split('train'), 60)):
        image.save(tmp_path / f'scene_{number:03d}.png')
    for number in range(300):
        draw_source(number)[0].save(tmp_path / f'sign_{number:03d}.png')
    assert groups_of(tmp_path) == []


def test_flat_drawings_with_an_object_elsewhere_are_different(tmp_path):
    """A small square on the same flat ground, at 30 places; and thirty flat colours."""
    for at in range(30):
        image = Image.new('RGB', (160, 120), (90, 120, 90))
        image.paste((200, 60, 60), (4 * at, 2 * at, 4 * at + 24, 2 * at + 24))
        image.save(tmp_path / f'square_{at:02d}.png')
        Image.new('RGB', (160, 120), (8 * at, 100, 100)).save(tmp_path / f'flat_{at:02d}.png')
    assert groups_of(tmp_path) == []


def test_a_damaged_file_is_an_error(tmp_path):
    """A JPEG without its second half has no fingerprint, though it is decoded small."""
    photo(0, (1600, 1200)).save(tmp_path / 'a.jpg')
    data = (tmp_path / 'a.jpg').read_bytes()
    (tmp_path / 'a.jpg').write_bytes(data[: len(data) // 2])
    with pytest.raises(UserError, match='a.jpg: damaged image'):
        fingerprint(str(tmp_path / 'a.jpg'))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=5))
def test_bits_are_counted(values):
    """As Python counts them, with numpy 1's arithmetic too."""
    expected = [value.bit_count() for value in values]
    array = np.array(values, np.uint64)
    assert count_bits(array).tolist() == expected
    with pytest.MonkeyPatch.context() as patch:
        patch.delattr(np, 'bitwise_count', raising=False)
        assert count_bits(array).tolist() == expected


def naive_groups(prints, distance):
    """Groups by comparing every image with every other, joined until nothing changes."""
    group = list(range(len(prints)))
    for i, one in enumerate(prints):
        for j in range(i):
            a, b = (
                np.frombuffer(p.thumbnail, np.uint8).reshape(-1, 3).astype(float)
                for p in (one, prints[j])
            )
            limit = max(0.1 * min(np.sqrt(x.var(0).mean()) for x in (a, b)), 1)
            near = np.sqrt(((a - b) ** 2).mean()) <= limit and abs(a - b).max() <= 24
            if near and (one.dhash ^ prints[j].dhash).bit_count() <= distance:
                low, high = sorted((group[i], group[j]))
                group = [low if g == high else g for g in group]
    return group


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 40), st.integers(0, 64))
def test_groups_are_those_of_all_pairs(seed, count, distance):
    """The search by blocks joins what comparing all pairs joins."""
    random = np.random.default_rng(seed)
    centres = random.integers(0, 250, (4, 768))
    prints = [
        Fingerprint(
            str(n),
            int(random.integers(0, 4)) << int(random.integers(0, 60)),
            (centres[n % 4] + random.integers(0, 6, 768)).clip(0, 255).astype(np.uint8).tobytes(),
        )
        for n in range(count)
    ]
    assert join_near(prints, distance).tolist() == naive_groups(prints, distance)


def test_20000_images():
    """Different ones; and 5,000 that are all alike, which no hash tells apart."""
    random = np.random.default_rng(0)
    thumbnails = random.integers(0, 255, (20_000, 768), np.uint8)
    hashes = random.integers(0, 2**63, 20_000).tolist()
    different = [
        Fingerprint(str(n), dhash, thumbnail.tobytes())
        for n, (dhash, thumbnail) in enumerate(zip(hashes, thumbnails, strict=True))
    ]
    alike = [Fingerprint(p.content, 0, bytes(768)) for p in different[:5000]]
    assert len(np.unique(join_near(different, 8))) == 20_000
    assert len(np.unique(join_near(alike, 8))) == 1
