"""Draws score maps over pictures."""

import numpy as np
from mmengine.visualization import Visualizer

from tcnn_mm.registry import VISUALIZERS


@VISUALIZERS.register_module()
class ScoreMapVisualizer(Visualizer):
    """A picture with its boxes, and beside it one overlay a class with a legend.

    Args:
        alpha (float): Opacity where the map is highest. Defaults to 0.8.
        colormap (str): Matplotlib's name. Defaults to 'turbo'.
        **kwargs: For mmengine's `Visualizer`, e.g. `vis_backends`.
    """

    def __init__(self, name='visualizer', *args, alpha=0.8, colormap='turbo', **kwargs):
        super().__init__(name, *args, **kwargs)
        self.alpha, self.colormap = alpha, colormap

    @classmethod
    def get_instance(cls, name='visualizer', **kwargs):
        """mmengine's registry builds visualizers through this; a bare config has no name."""
        return super().get_instance(name, **kwargs)

    def draw_score_maps(self, image, maps, titles, boxes=(), box_names=()):
        """Make one picture of a row of panels.

        Args:
            image (ndarray): (H, W, 3) uint8 RGB.
            maps (ndarray): (C, h, w) scores in [0, 1], any resolution.
            titles (list[str]): C lines, one above each map.
            boxes (ndarray): (N, 4) xyxy pixels drawn on the first panel.
            box_names (list[str]): N names.

        Returns:
            ndarray: (h', w', 3) uint8 RGB.
        """
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import Normalize
        from matplotlib.figure import Figure
        from matplotlib.patches import Rectangle

        height, width = image.shape[:2]
        panels = 1 + len(maps)
        side = 3.2  # inches of the longer side of a panel
        figure = Figure(
            figsize=(
                side * min(1.0, width / height) * panels + 0.9,
                side * min(1.0, height / width) + 0.5,
            ),
            dpi=100,
            layout='constrained',
        )
        FigureCanvasAgg(figure)
        axes = figure.subplots(1, panels, squeeze=False)[0]
        extent = (0, width, height, 0)
        axes[0].imshow(image, extent=extent)
        for box, name in zip(boxes, box_names, strict=True):
            x1, y1, x2, y2 = map(float, box)
            axes[0].add_patch(Rectangle((x1, y1), x2 - x1, y2 - y1, fill=False, ec='lime', lw=1.5))
            label = dict(facecolor='lime', alpha=0.7, pad=1, lw=0)
            axes[0].text(x1, y1, name, color='black', fontsize=7, va='top', bbox=label)
        axes[0].set_title('picture and its objects', fontsize=9)
        # One scale for all maps of a picture, so that classes compare; the legend tells it.
        top = max(float(np.max(maps)), 1e-3) if len(maps) else 1.0
        for axis, score_map, title in zip(axes[1:], maps, titles, strict=True):
            axis.imshow(image, extent=extent)
            axis.imshow(
                score_map,
                extent=extent,
                cmap=self.colormap,
                vmin=0,
                vmax=top,
                alpha=self.alpha * (0.4 + 0.6 * np.clip(score_map / top, 0, 1)),
                interpolation='nearest',
            )
            axis.set_title(title, fontsize=9)
        for axis in axes:
            axis.set_axis_off()
        if len(maps):
            legend = ScalarMappable(Normalize(0, top), self.colormap)
            bar = figure.colorbar(legend, ax=list(axes), fraction=0.03, pad=0.01)
            bar.set_label('mean patch score', fontsize=8)
            bar.ax.tick_params(labelsize=7)
        figure.canvas.draw()
        return np.asarray(figure.canvas.buffer_rgba())[..., :3].copy()
