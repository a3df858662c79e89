"""Overlays: names of the files, titles of the maps, size of the drawing."""

import numpy as np

from tcnn_mm.inference.overlay import draw_overlay, map_titles, resize_rgb, unique_png_name


def test_names_of_overlays_are_unique():
    """Named after the image; numbered where the name is taken, also where the number is."""
    taken = set()
    names = [unique_png_name(path, taken) for path in ('a.jpg', 'x/a_2.jpg', 'x/a.jpg', 'y/a.png')]
    assert names == ['a.png', 'a_2.png', 'a_3.png', 'a_4.png']


def test_titles_say_what_is_not_a_label():
    """Class, image score, and a note at classes below their threshold."""
    result = dict(scores=dict(key=0.251, fish=0.1), labels=['key'])
    assert map_titles(result, ['key', 'fish']) == [
        'key, image score 0.25',
        'fish, image score 0.1 (not a label)',
    ]


def test_the_image_is_resized_to_its_maps():
    """(H, W) as asked for; the same array where nothing changes."""
    image = np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8)
    assert resize_rgb(image, 40, 60) is image
    assert resize_rgb(image, 20, 30).shape == (20, 30, 3)


def test_an_overlay_has_one_panel_per_class_beside_the_image():
    """More classes, more panels of the same height; the maximum of a map changes the drawing."""
    image = np.full((40, 60, 3), 128, np.uint8)
    maps = dict(key=np.eye(40, 60, dtype=np.float32), fish=np.zeros((40, 60), np.float32))
    result = dict(image=image, maps=maps, scores=dict(key=0.5, fish=0.1), labels=['key'])
    one, two = (draw_overlay(result, names) for names in (['key'], ['key', 'fish']))
    assert one.shape[0] == two.shape[0] and two.shape[1] > 1.3 * one.shape[1]
    flat = draw_overlay(dict(result, maps=dict(key=0 * maps['key'])), ['key'])
    assert np.abs(flat.astype(int) - one).max() > 50
