"""Draw the images of `MiniVOC`: signs for the source task, scenes of things for the target task.

Both tasks are drawn from the same parts (discs, bars, triangles, half discs, rings) in the same
way, but share no class: what is learnt on signs can only help through mid-level features, which
is the method's claim. All randomness comes from the seeds below; needs numpy and Pillow only.

A change of what is drawn needs a new `VERSION` in `prepare.py`.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from tcnn_mm.datasets.mini_voc.shapes import HOLE, SHAPES, SOURCE_CLASSES, TARGET_CLASSES

SOURCE_SIZE = 64
TARGET_SPLITS = {'train': 60, 'val': 60, 'test': 120}
LANDSCAPE = (160, 120)
# Edges are antialiased by drawing this many times larger.
_OVERSAMPLING = 2


def _whole(xy: np.ndarray) -> tuple[int, int]:
    """A pair of numbers without their fractions."""
    x, y = xy
    return int(x), int(y)


def background(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Draw a smooth RGB image around one colour."""
    base = rng.uniform(70, 185, 3)
    coarse = np.clip(base + rng.normal(0, 16, (3, 4, 3)), 0, 255).astype(np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def colour_apart(
    rng: np.random.Generator, *others: np.ndarray, distance: float = 110
) -> np.ndarray:
    """Draw a random colour (3,) at least `distance` grey levels from each of `others`."""
    while True:
        colour = rng.uniform(0, 256, 3)
        if all(np.linalg.norm(colour - other) >= distance for other in others):
            return colour


def object_layer(
    rng: np.random.Generator, name: str, size: float, behind: np.ndarray
) -> Image.Image:
    """Draw one object on a transparent layer: random rotation, mirroring, stretch and colours.

    Args:
        rng: Source of randomness.
        name: A key of `SHAPES`.
        size: Longer side of the object in pixels.
        behind: (3,) colour that it must differ from.

    Returns:
        RGBA, as large as the object.
    """
    angle = np.radians(rng.uniform(-20, 20))
    stretch = np.exp(rng.uniform(-0.15, 0.15))
    body = colour_apart(rng, behind)
    # Half of the objects have one colour, so that colour borders are a hint and not the shape.
    accent = body if rng.random() < 0.5 else colour_apart(rng, behind, distance=80)
    # A mirrored object keeps its name: training patches are flipped.
    flip = -1.0 if rng.random() < 0.5 else 1.0
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    polygons = [
        np.asarray(p, float) * (flip * stretch, 1 / stretch) @ turn for p, _ in SHAPES[name]
    ]
    points = np.concatenate(polygons)
    low, extent = points.min(0), np.ptp(points, axis=0)
    scale = size * _OVERSAMPLING / extent.max()
    shape = np.maximum(np.ceil(extent * scale / _OVERSAMPLING), 1).astype(int)
    layer = Image.new('RGBA', _whole(shape * _OVERSAMPLING))
    draw = ImageDraw.Draw(layer)
    for polygon, (_, ink) in zip(polygons, SHAPES[name], strict=True):
        colour = (0, 0, 0, 0)
        if ink is not HOLE:
            red, green, blue = (int(c) for c in (body, accent)[ink])
            colour = (red, green, blue, 255)
        draw.polygon([tuple(xy) for xy in (polygon - low) * scale], fill=colour)
    return layer.resize(_whole(shape), Image.Resampling.BOX)


def distract(rng: np.random.Generator, image: Image.Image, share: float) -> None:
    """Draw a thin line or a small blob with probability `share`."""
    if rng.random() >= share:
        return
    draw, (width, height) = ImageDraw.Draw(image), image.size
    x, y = rng.uniform(0, width), rng.uniform(0, height)
    colour = tuple(int(c) for c in rng.uniform(0, 256, 3))
    if rng.random() < 0.5:
        end = (x + rng.normal(0, 0.4 * width), y + rng.normal(0, 0.4 * height))
        draw.line([(x, y), end], fill=colour, width=int(rng.integers(1, 3)))
    else:
        rx, ry = rng.uniform(2, 7, 2)
        draw.ellipse([x - rx, y - ry, x + rx, y + ry], fill=colour)


def draw_source(index: int, seed: int = 0) -> tuple[Image.Image, int]:
    """Draw source image number `index`: one sign.

    Returns:
        RGB, 64×64, and its class; classes take turns.
    """
    rng = np.random.default_rng((seed, 1, index))
    label = index % len(SOURCE_CLASSES)
    image = background(rng, SOURCE_SIZE, SOURCE_SIZE)
    behind = np.asarray(image, float).mean((0, 1))
    distract(rng, image, 0.4)
    layer = object_layer(rng, SOURCE_CLASSES[label], rng.uniform(24, 62), behind)
    # The middle may lie off the centre as far as about a fifth of the sign is cut off.
    room = np.abs(SOURCE_SIZE - np.array(layer.size)) / 2 + 0.15 * np.array(layer.size)
    corner = (SOURCE_SIZE - np.array(layer.size)) / 2 + rng.uniform(-room, room)
    image.paste(layer, _whole(corner), layer)
    return image, label


def _place(
    rng: np.random.Generator,
    layer: Image.Image,
    image_size: tuple[int, int],
    taken: Sequence[tuple[int, int, int, int]],
    outside: tuple[float, float],
) -> tuple[int, int] | None:
    """Find a corner (x, y) for a layer that hides little of other objects; None without success.

    Args:
        taken: Boxes xyxy of objects already drawn.
        outside: Range of the share of the layer's one side that leaves the image.
    """
    (width, height), (w, h) = image_size, layer.size
    for _ in range(60):
        corner = np.array([rng.uniform(0, max(width - w, 1)), rng.uniform(0, max(height - h, 1))])
        cut = rng.uniform(*outside)
        if cut > 0:
            axis, far = rng.integers(2), rng.random() < 0.5
            side, room = (w, h)[axis], (width, height)[axis]
            corner[axis] = room - side * (1 - cut) if far else -side * cut
        x, y = (int(round(c)) for c in corner)
        clear = all(
            max(0, min(x + w, b[2]) - max(x, b[0])) * max(0, min(y + h, b[3]) - max(y, b[1]))
            <= 0.06 * min(w * h, (b[2] - b[0]) * (b[3] - b[1]))
            for b in taken
        )
        if clear:
            return x, y
    return None


def draw_split(split: str, seed: int = 0) -> Iterator[tuple[Image.Image, list[dict[str, Any]]]]:
    """Draw all scenes of a target split.

    Classes are dealt from shuffled decks, so every class comes equally often; every eleventh
    object is difficult (tiny, or mostly cut off by the border), every seventh other truncated.

    Yields:
        RGB scene; objects with `name`, `box` (xyxy pixels, edges),
        `difficult`, `truncated`.
    """
    rng = np.random.default_rng((seed, 2, list(TARGET_SPLITS).index(split)))
    deck: list[str] = []
    dealt = 0
    for _ in range(TARGET_SPLITS[split]):
        size = LANDSCAPE if rng.random() < 0.75 else LANDSCAPE[::-1]
        image = background(rng, *size)
        behind = np.asarray(image, float).mean((0, 1))
        for _ in range(3):
            distract(rng, image, 0.4)
        objects: list[dict[str, Any]] = []
        for _ in range(rng.choice([1, 2, 3, 4], p=[0.15, 0.35, 0.3, 0.2])):
            if not deck:
                deck = list(rng.permutation(TARGET_CLASSES))
            dealt += 1
            difficult, cut = dealt % 11 == 0, dealt % 7 == 0
            tiny = difficult and rng.random() < 0.5
            outside = (0.0, 0.0)
            if difficult and not tiny:
                outside = (0.62, 0.75)
            elif cut and not difficult:
                outside = (0.1, 0.3)
            side = rng.uniform(12, 16) if tiny else 25 + 65 * rng.beta(1.2, 1.8)
            corner = None
            while corner is None:  # a crowded scene gets smaller objects
                layer = object_layer(rng, deck[-1], side, behind)
                corner = _place(rng, layer, size, [o['box'] for o in objects], outside)
                side = max(0.8 * side, 12 if tiny else 25)
            alpha = Image.new('L', size)
            alpha.paste(layer.getchannel('A'), corner)
            image.paste(layer, corner, layer)
            box = alpha.point(lambda a: 255 * (a > 127)).getbbox()
            objects.append(
                dict(
                    name=str(deck.pop()),
                    box=box,
                    difficult=bool(difficult),
                    truncated=outside[1] > 0,
                )
            )
        yield image, objects
