"""Figures of matplotlib without its global state: no pyplot, no window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tcnn_mm.errors import UserError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def make_figure(size: tuple[float, float]) -> Figure:
    """Return an empty figure of (width, height) inches at 100 dots per inch.

    Raises:
        UserError: matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise UserError(
            f"drawing needs matplotlib ({error}): pip install 'tcnn_mm[vis]'"
        ) from error
    figure = Figure(size, dpi=100, layout='constrained')
    FigureCanvasAgg(figure)
    return figure
