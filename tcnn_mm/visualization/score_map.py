"""Draw score maps over images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from mmengine.visualization import Visualizer

from tcnn_mm.registry import VISUALIZERS
from tcnn_mm.visualization.figure import make_figure
from tcnn_mm.visualization.map_values import map_values

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PANEL = 3.2  # inches of the longer side of a panel
BOX_COLOR = 'lime'


@VISUALIZERS.register_module()
class ScoreMapVisualizer(Visualizer):
    """Draws an image with its boxes, and beside it one overlay per class with a legend.

    Args:
        name (str): Name of the visualizer. Defaults to 'visualizer'.
        alpha (float): Opacity of the hottest colour; low values are transparent (see
            :func:`map_values`). Defaults to 0.75.
        colormap (str): A colour map of matplotlib. Defaults to 'turbo'.
        stretch (bool): The hottest colour is the largest value of the maps of an image, not the
            same value in all images (see :func:`map_values`). Defaults to False.
        **kwargs: For mmengine's `Visualizer`, e.g. `vis_backends`.
    """

    def __init__(
        self,
        name: str = 'visualizer',
        *args: Any,
        alpha: float = 0.75,
        colormap: str = 'turbo',
        stretch: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(name, *args, **kwargs)
        self.alpha, self.colormap, self.stretch = alpha, colormap, stretch

    @classmethod
    def get_instance(cls, name: str = 'visualizer', **kwargs: Any) -> Visualizer:
        """Build from a config, as mmengine's registry does; a name is not required here."""
        return super().get_instance(name, **kwargs)

    def draw_score_maps(
        self,
        image: np.ndarray,
        maps: np.ndarray,
        titles: Sequence[str],
        boxes: np.ndarray | Sequence[Sequence[float]] = (),
        box_names: Sequence[str] = (),
        map_names: Sequence[str] | None = None,
        points: np.ndarray | None = None,
        with_image: bool = True,
        damping: float = 0,
        first_title: str | None = None,
        probabilities: Sequence[float | None] | None = None,
    ) -> np.ndarray:
        """Draw a row of panels: the image, then one map per class.

        Args:
            image (ndarray): (H, W, 3) uint8 RGB.
            maps (ndarray): (C, h, w) scores in [0, 1], any resolution.
            titles (list[str]): C lines, one above each map.
            boxes (ndarray): (N, 4) xyxy pixels, drawn on the image. Defaults to none.
            box_names (list[str]): N class names.
            map_names (list[str], optional): C class names: each map also shows the boxes of its
                class.
            points (ndarray, optional): (C, 2) xy pixels, a cross on each map.
            with_image (bool): The first panel is the image with all boxes. False: maps alone.
                Defaults to True.
            damping (float): Damping of the maps, for the legend. Defaults to 0.
            first_title (str, optional): Line above the first panel; the default names its boxes
                objects.
            probabilities (list[float | None], optional): C calibrated probabilities of the
                classes: the value of each map's best cell. None for a class without, whose
                colours are mean patch scores. Defaults to none at all.

        Returns:
            ndarray: (h', w', 3) uint8 RGB.
        """
        height, width = image.shape[:2]
        first = int(with_image)
        panels = first + len(maps)
        wide, tall = PANEL * min(1.0, width / height), PANEL * min(1.0, height / width)
        figure = make_figure((wide * panels + 0.9, tall + 0.4))
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import Normalize

        axes = figure.subplots(1, panels, squeeze=False)[0]
        for axis in axes:
            axis.imshow(image, extent=(0, width, height, 0))
            axis.set_axis_off()
        if with_image:
            default = 'image and its objects' if len(boxes) else 'image'
            axes[0].set_title(first_title or default, fontsize=9)
            for box, name in zip(boxes, box_names, strict=True):
                self._frame(axes[0], box, name)
        drawn = map_values(maps, probabilities, damping, self.stretch)
        opacity = self.alpha * drawn.opacity()
        for c, (axis, title) in enumerate(zip(axes[first:], titles, strict=True)):
            axis.imshow(
                drawn.values[c],
                extent=(0, width, height, 0),
                cmap=self.colormap,
                vmin=0,
                vmax=drawn.top,
                alpha=opacity[c],
                interpolation='nearest',
            )
            axis.set_title(title, fontsize=9, parse_math=False)  # a class may be named $x$
            for box, name in zip(boxes, box_names, strict=True):
                if map_names is not None and name == map_names[c]:
                    self._frame(axis, box)
            if points is not None:
                for color, size in (('black', 3.5), ('white', 1.5)):
                    axis.plot(*points[c], '+', color=color, ms=11, mew=size)
            axis.set(xlim=(0, width), ylim=(height, 0))
        if len(maps):
            legend = ScalarMappable(Normalize(0, drawn.top), self.colormap)
            above = 'max' if np.max(drawn.values) > drawn.top else 'neither'
            bar = figure.colorbar(legend, ax=list(axes), fraction=0.03, pad=0.01, extend=above)
            bar.set_label(drawn.label, fontsize=8)
            bar.ax.tick_params(labelsize=7)
        canvas: Any = figure.canvas
        canvas.draw()
        return np.asarray(canvas.buffer_rgba())[..., :3].copy()

    @staticmethod
    def _frame(axis: Axes, box: Sequence[float] | np.ndarray, name: str | None = None) -> None:
        """Draw a box with its name inside at the top: outside it may be cut at the border."""
        from matplotlib.patches import Rectangle

        x1, y1, x2, y2 = map(float, box)
        axis.add_patch(Rectangle((x1, y1), x2 - x1, y2 - y1, fill=False, ec=BOX_COLOR, lw=1.5))
        if name is not None:
            label = dict(facecolor=BOX_COLOR, alpha=0.7, pad=1, lw=0)
            look: dict[str, Any] = dict(
                color='black', fontsize=7, va='top', bbox=label, clip_on=True
            )
            axis.text(x1, y1, name, parse_math=False, **look)
