"""The shapes of `MiniVOC`'s classes: polygons, drawn one over the other."""

import numpy as np

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
# Colour of a polygon: one of the object's two, or none.
BODY, ACCENT, HOLE = 0, 1, None


def _arc(
    cx: float,
    cy: float,
    rx: float,
    ry: float,
    start: float = 0.0,
    stop: float = 360.0,
    count: int = 28,
) -> np.ndarray:
    """Points of an elliptic arc, degrees clockwise from the right (y points down)."""
    t = np.radians(np.linspace(start, stop, count, endpoint=stop - start < 360))
    return np.stack([cx + rx * np.cos(t), cy + ry * np.sin(t)], 1)


def _box(x1: float, y1: float, x2: float, y2: float) -> np.ndarray:
    return np.array([(x1, y1), (x2, y1), (x2, y2), (x1, y2)], float)


def _star(points: int, inner: float) -> np.ndarray:
    radius = np.where(np.arange(2 * points) % 2, inner, 1.0)
    t = np.radians(-90 + np.arange(2 * points) * 180 / points)
    return np.stack([radius * np.cos(t), radius * np.sin(t)], 1)


def _heart() -> np.ndarray:
    t = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    y = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    return np.stack([np.sin(t) ** 3, -(y + 2.5) / 15], 1)


# Per class: polygons in [-1, 1]², later ones over earlier ones, each with its colour.
SHAPES: dict[str, list[tuple]] = {
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
