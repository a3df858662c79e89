"""The pictures of `MiniVOC`: signs for the source task, scenes of things for the target task.

Both tasks are drawn from the same parts (discs, bars, triangles, half discs, rings) in the same
way, but share no class: what is learnt on signs can only help through mid-level features, which
is the method's claim. All randomness comes from the seeds below; needs numpy and Pillow only.
"""

import numpy as np
from PIL import Image, ImageDraw

SOURCE_CLASSES = (
    'disc',
    'square',
    'triangle',
    'cross',
    'star',
    'ring',
    'heart',
    'crescent',
    'arrow',
    'lollipop',
    'flag',
    'hourglass',
)
TARGET_CLASSES = ('fish', 'house', 'key', 'mug', 'mushroom', 'tree')
SOURCE_SIZE = 64
TARGET_SPLITS = {'train': 60, 'val': 60, 'test': 120}
LANDSCAPE = (160, 120)
BODY, ACCENT, HOLE = 0, 1, None
# Edges are antialiased by drawing this many times larger.
_OVERSAMPLING = 2


def _arc(cx, cy, rx, ry, start=0.0, stop=360.0, count=28):
    """Points of an elliptic arc, degrees clockwise from the right (y points down)."""
    t = np.radians(np.linspace(start, stop, count, endpoint=stop - start < 360))
    return np.stack([cx + rx * np.cos(t), cy + ry * np.sin(t)], 1)


def _box(x1, y1, x2, y2):
    return np.array([(x1, y1), (x2, y1), (x2, y2), (x1, y2)], float)


def _star(points, inner):
    radius = np.where(np.arange(2 * points) % 2, inner, 1.0)
    t = np.radians(-90 + np.arange(2 * points) * 180 / points)
    return np.stack([radius * np.cos(t), radius * np.sin(t)], 1)


def _heart():
    t = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    y = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    return np.stack([np.sin(t) ** 3, -(y + 2.5) / 15], 1)


# One row a class: polygons in [-1, 1]², later ones over earlier ones, each with its colour.
SHAPES = {
    'disc': [(_arc(0, 0, 1, 1), BODY)],
    'square': [(_box(-0.9, -0.9, 0.9, 0.9), BODY)],
    'triangle': [([(0, -1), (1, 0.85), (-1, 0.85)], BODY)],
    'cross': [(_box(-0.3, -1, 0.3, 1), BODY), (_box(-1, -0.3, 1, 0.3), BODY)],
    'star': [(_star(5, 0.42), BODY)],
    'ring': [(_arc(0, 0, 1, 1), BODY), (_arc(0, 0, 0.55, 0.55), HOLE)],
    'heart': [(_heart(), BODY)],
    'crescent': [(_arc(0, 0, 1, 1), BODY), (_arc(0.5, 0, 0.85, 0.85), HOLE)],
    'arrow': [
        (_box(-1, -0.25, 0.2, 0.25), ACCENT),
        ([(0.05, -0.8), (1, 0), (0.05, 0.8)], BODY),
    ],
    'lollipop': [(_box(-0.13, 0, 0.13, 1), ACCENT), (_arc(0, -0.4, 0.6, 0.6), BODY)],
    'flag': [(_box(-0.8, -1, -0.55, 1), ACCENT), (_box(-0.55, -0.95, 0.85, 0.1), BODY)],
    'hourglass': [
        ([(-0.8, -1), (0.8, -1), (0, 0.1)], BODY),
        ([(-0.8, 1), (0.8, 1), (0, -0.1)], ACCENT),
    ],
    'fish': [
        ([(0.3, 0), (1, -0.6), (1, 0.6)], ACCENT),
        (_arc(-0.25, 0, 0.75, 0.52), BODY),
        (_arc(-0.6, -0.12, 0.1, 0.1, count=10), HOLE),
    ],
    'house': [
        (_box(-0.75, -0.15, 0.75, 1), BODY),
        ([(0, -1), (1, -0.1), (-1, -0.1)], ACCENT),
        (_box(-0.2, 0.35, 0.2, 1), HOLE),
    ],
    'key': [
        (_box(-0.1, -0.13, 1, 0.13), ACCENT),
        (_box(0.45, 0, 0.62, 0.42), ACCENT),
        (_box(0.8, 0, 1, 0.42), ACCENT),
        (_arc(-0.5, 0, 0.5, 0.5), BODY),
        (_arc(-0.5, 0, 0.25, 0.25), HOLE),
    ],
    'mug': [
        (_arc(0.45, 0.05, 0.55, 0.5), ACCENT),
        (_arc(0.45, 0.05, 0.3, 0.26), HOLE),
        (_box(-0.9, -0.8, 0.45, 0.85), BODY),
    ],
    'mushroom': [
        (_box(-0.28, 0, 0.28, 0.95), ACCENT),
        (_arc(0, 0.1, 1, 1, 180, 359), BODY),
    ],
    'tree': [
        (_box(-0.15, 0.5, 0.15, 1), ACCENT),
        ([(0, -0.35), (0.85, 0.6), (-0.85, 0.6)], BODY),
        ([(0, -1), (0.6, 0), (-0.6, 0)], BODY),
    ],
}


def background(rng, width, height):
    """A smooth picture around one colour."""
    base = rng.uniform(70, 185, 3)
    coarse = np.clip(base + rng.normal(0, 16, (3, 4, 3)), 0, 255).astype(np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def colour_apart(rng, *others, distance=110):
    """A random colour at least `distance` grey levels (Euclidean) from each of `others`."""
    while True:
        colour = rng.uniform(0, 256, 3)
        if all(np.linalg.norm(colour - other) >= distance for other in others):
            return colour


def object_layer(rng, name, size, behind):
    """One object on a transparent layer: random turn, mirror, stretch and colours.

    Args:
        rng (Generator): Source of randomness.
        name (str): A key of `SHAPES`.
        size (float): Longer side of the object in pixels.
        behind (ndarray): (3,) colour that it must be told from.

    Returns:
        Image: RGBA, as large as the object.
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
    layer = Image.new('RGBA', tuple(int(s) for s in shape * _OVERSAMPLING))
    draw = ImageDraw.Draw(layer)
    for polygon, (_, ink) in zip(polygons, SHAPES[name], strict=True):
        colour = (0, 0, 0, 0)
        if ink is not HOLE:
            colour = (*(int(c) for c in (body, accent)[ink]), 255)
        draw.polygon([tuple(xy) for xy in (polygon - low) * scale], fill=colour)
    return layer.resize(tuple(int(s) for s in shape), Image.Resampling.BOX)


def distract(rng, picture, share):
    """Draw a thin line or a small blob with probability `share`."""
    if rng.random() >= share:
        return
    draw, (width, height) = ImageDraw.Draw(picture), picture.size
    x, y = rng.uniform(0, width), rng.uniform(0, height)
    colour = tuple(int(c) for c in rng.uniform(0, 256, 3))
    if rng.random() < 0.5:
        end = (x + rng.normal(0, 0.4 * width), y + rng.normal(0, 0.4 * height))
        draw.line([(x, y), end], fill=colour, width=int(rng.integers(1, 3)))
    else:
        rx, ry = rng.uniform(2, 7, 2)
        draw.ellipse([x - rx, y - ry, x + rx, y + ry], fill=colour)


def draw_source(index, seed=0):
    """Source picture number `index`: one sign.

    Returns:
        tuple[Image, int]: RGB, 64×64, and its class; classes take turns.
    """
    rng = np.random.default_rng((seed, 1, index))
    label = index % len(SOURCE_CLASSES)
    picture = background(rng, SOURCE_SIZE, SOURCE_SIZE)
    behind = np.asarray(picture, float).mean((0, 1))
    distract(rng, picture, 0.4)
    layer = object_layer(rng, SOURCE_CLASSES[label], rng.uniform(24, 62), behind)
    # The middle may lie off the centre as far as about a fifth of the sign is cut off.
    room = np.abs(SOURCE_SIZE - np.array(layer.size)) / 2 + 0.15 * np.array(layer.size)
    corner = (SOURCE_SIZE - np.array(layer.size)) / 2 + rng.uniform(-room, room)
    picture.paste(layer, tuple(int(c) for c in corner), layer)
    return picture, label


def _place(rng, layer, picture_size, taken, outside):
    """A corner for a layer that hides little of what is there; None when none was found.

    Args:
        taken (list): Boxes xyxy of objects already drawn.
        outside (tuple[float, float]): Share of the layer's one side that leaves the picture.
    """
    (width, height), (w, h) = picture_size, layer.size
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


def draw_split(split, seed=0):
    """All scenes of a target split.

    Classes are dealt from shuffled decks, so every class comes equally often; every eleventh
    object is difficult (tiny, or mostly cut off by the border), every seventh other truncated.

    Yields:
        tuple[Image, list[dict]]: RGB scene; objects with `name`, `box` (xyxy pixels, edges),
        `difficult`, `truncated`.
    """
    rng = np.random.default_rng((seed, 2, list(TARGET_SPLITS).index(split)))
    deck, dealt = [], 0
    for _ in range(TARGET_SPLITS[split]):
        size = LANDSCAPE if rng.random() < 0.75 else LANDSCAPE[::-1]
        picture = background(rng, *size)
        behind = np.asarray(picture, float).mean((0, 1))
        for _ in range(3):
            distract(rng, picture, 0.4)
        objects = []
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
            picture.paste(layer, corner, layer)
            box = alpha.point(lambda a: 255 * (a > 127)).getbbox()
            objects.append(
                dict(
                    name=str(deck.pop()),
                    box=box,
                    difficult=bool(difficult),
                    truncated=outside[1] > 0,
                )
            )
        yield picture, objects
