"""Draws score maps over pictures."""

import numpy as np
from mmengine.visualization import Visualizer

from tcnn_mm.registry import VISUALIZERS


@VISUALIZERS.register_module()
class ScoreMapVisualizer(Visualizer):
    """A picture with its boxes, and beside it one overlay a class with a legend.

    Args:
        alpha (float): Opacity of the map. Defaults to 0.55.
        colormap (str): Matplotlib's name. Defaults to 'inferno'.
        **kwargs: For mmengine's `Visualizer`, e.g. `vis_backends`.
    """

    def __init__(self, name='visualizer', *args, alpha=0.55, colormap='inferno', **kwargs):
        super().__init__(name, *args, **kwargs)
        self.alpha, self.colormap = alpha, colormap

    @classmethod
    def get_instance(cls, name='visualizer', **kwargs):
        """mmengine's registry builds visualizers through this; a bare config has no name."""
        return super().get_instance(name, **kwargs)

    def draw_score_maps(self, image, maps, titles, boxes=(), box_names=(), box_colors=None):
        """Make one picture of a row of panels.

        Args:
            image (ndarray): (H, W, 3) uint8 RGB.
            maps (ndarray): (C, h, w) scores in [0, 1], any resolution.
            titles (list[str]): C lines, one above each map.
            boxes (ndarray): (N, 4) xyxy pixels drawn on the first panel.
            box_names (list[str]): N names.
            box_colors (list[str], optional): N colours; defaults to lime.

        Returns:
            ndarray: (h', w', 3) uint8 RGB.
        """
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.patches import Rectangle

        height, width = image.shape[:2]
        panels = 1 + len(maps)
        figure = Figure(figsize=(3.4 * panels * min(1.6, width / height) + 0.6, 3.9), dpi=100)
        FigureCanvasAgg(figure)
        axes = figure.subplots(1, panels, squeeze=False)[0]
        extent = (0, width, height, 0)
        axes[0].imshow(image, extent=extent)
        colors = box_colors or ['lime'] * len(boxes)
        for box, name, color in zip(boxes, box_names, colors, strict=True):
            x1, y1, x2, y2 = map(float, box)
            axes[0].add_patch(Rectangle((x1, y1), x2 - x1, y2 - y1, fill=False, ec=color, lw=1.5))
            axes[0].text(
                x1 + 2,
                y1 + 2,
                name,
                color='black',
                fontsize=7,
                va='top',
                bbox=dict(facecolor=color, alpha=0.7, pad=1, lw=0),
            )
        axes[0].set_title('picture and its objects', fontsize=9)
        for axis, score_map, title in zip(axes[1:], maps, titles, strict=True):
            axis.imshow(image, extent=extent)
            layer = axis.imshow(
                score_map,
                extent=extent,
                cmap=self.colormap,
                alpha=self.alpha,
                vmin=0,
                vmax=1,
                interpolation='bilinear',
            )
            axis.set_title(title, fontsize=9)
        for axis in axes:
            axis.set_axis_off()
        if len(maps):
            bar = figure.colorbar(layer, ax=list(axes), fraction=0.02, pad=0.01)
            bar.set_label('mean patch score', fontsize=8)
        figure.canvas.draw()
        return np.asarray(figure.canvas.buffer_rgba())[..., :3].copy()
