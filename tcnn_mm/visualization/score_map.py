"""Draws score maps over pictures."""

import numpy as np
from mmengine.visualization import Visualizer

from tcnn_mm.registry import VISUALIZERS

PANEL = 3.2  # inches of the longer side of a panel
BOX_COLOR = 'lime'


@VISUALIZERS.register_module()
class ScoreMapVisualizer(Visualizer):
    """A picture with its boxes, and beside it one overlay a class with a legend.

    Args:
        alpha (float): Opacity where the map is highest; where it is 0 the picture is bare.
            Defaults to 0.75.
        colormap (str): Matplotlib's name. Defaults to 'turbo'.
        **kwargs: For mmengine's `Visualizer`, e.g. `vis_backends`.
    """

    def __init__(self, name='visualizer', *args, alpha=0.75, colormap='turbo', **kwargs):
        super().__init__(name, *args, **kwargs)
        self.alpha, self.colormap = alpha, colormap

    @classmethod
    def get_instance(cls, name='visualizer', **kwargs):
        """mmengine's registry builds visualizers through this; a bare config has no name."""
        return super().get_instance(name, **kwargs)

    def draw_score_maps(
        self,
        image,
        maps,
        titles,
        boxes=(),
        box_names=(),
        map_names=None,
        points=None,
        with_picture=True,
        damping=0,
    ):
        """Make one picture of a row of panels.

        Args:
            image (ndarray): (H, W, 3) uint8 RGB.
            maps (ndarray): (C, h, w) scores in [0, 1], any resolution.
            titles (list[str]): C lines, one above each map.
            boxes (ndarray): (N, 4) xyxy pixels drawn on the first panel.
            box_names (list[str]): N names.
            map_names (list[str], optional): C names: each map shows the boxes of its name too.
            points (ndarray, optional): (C, 2) xy pixels, a cross on each map.
            with_picture (bool): The first panel is the bare picture with all boxes. False: maps
                alone. Defaults to True.
            damping (float): Of the maps, for the legend. Defaults to 0.

        Returns:
            ndarray: (h', w', 3) uint8 RGB.
        """
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import Normalize
        from matplotlib.figure import Figure

        height, width = image.shape[:2]
        first = int(with_picture)
        panels = first + len(maps)
        wide, tall = PANEL * min(1.0, width / height), PANEL * min(1.0, height / width)
        figure = Figure((wide * panels + 0.9, tall + 0.4), dpi=100, layout='constrained')
        FigureCanvasAgg(figure)
        axes = figure.subplots(1, panels, squeeze=False)[0]
        for axis in axes:
            axis.imshow(image, extent=(0, width, height, 0))
            axis.set_axis_off()
        if with_picture:
            axes[0].set_title('picture and its objects' if len(boxes) else 'picture', fontsize=9)
            for box, name in zip(boxes, box_names, strict=True):
                self._frame(axes[0], box, name)
        # One scale for all maps of a picture, so that classes compare; the legend tells it.
        top = max(float(np.max(maps)), 1e-3) if len(maps) else 1.0
        for c, (axis, title) in enumerate(zip(axes[first:], titles, strict=True)):
            self._overlay(axis, maps[c], top, (0, width, height, 0))
            axis.set_title(title, fontsize=9)
            for box, name in zip(boxes, box_names, strict=True):
                if map_names is not None and name == map_names[c]:
                    self._frame(axis, box)
            if points is not None:
                for color, size in (('black', 3.5), ('white', 1.5)):
                    axis.plot(*points[c], '+', color=color, ms=11, mew=size)
            axis.set(xlim=(0, width), ylim=(height, 0))
        if len(maps):
            legend = ScalarMappable(Normalize(0, top), self.colormap)
            bar = figure.colorbar(legend, ax=list(axes), fraction=0.03, pad=0.01)
            damped = f', damped by {damping:g}' if damping else ''
            bar.set_label(f'mean patch score{damped}', fontsize=8)
            bar.ax.tick_params(labelsize=7)
        figure.canvas.draw()
        return np.asarray(figure.canvas.buffer_rgba())[..., :3].copy()

    def _overlay(self, axis, score_map, top, extent):
        """A map, transparent where it is low: the picture shows what stands there."""
        axis.imshow(
            score_map,
            extent=extent,
            cmap=self.colormap,
            vmin=0,
            vmax=top,
            alpha=self.alpha * np.sqrt(np.clip(score_map / top, 0, 1)),
            interpolation='nearest',
        )

    @staticmethod
    def _frame(axis, box, name=None):
        """A box, with its name inside it at the top: at the border it would be cut off."""
        from matplotlib.patches import Rectangle

        x1, y1, x2, y2 = map(float, box)
        axis.add_patch(Rectangle((x1, y1), x2 - x1, y2 - y1, fill=False, ec=BOX_COLOR, lw=1.5))
        if name is not None:
            label = dict(facecolor=BOX_COLOR, alpha=0.7, pad=1, lw=0)
            axis.text(x1, y1, name, color='black', fontsize=7, va='top', bbox=label, clip_on=True)
