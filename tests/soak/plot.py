"""Plot the table of a soak."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

COLUMNS = dict(
    rss_mb='memory (RSS), MB',
    handles='open handles',
    threads='threads',
    children='child processes',
    shared_mb='shared memory, MB',
    temporary_files='temporary files',
)


def plot_usage(rows: Sequence[dict[str, float]], path: Path) -> None:
    """Draw each resource over the hours of the run, from zero, into a PNG."""
    figure = Figure(figsize=(8, 4.5), layout='constrained')
    hours = [row['seconds'] / 3600 for row in rows]
    for axes, (column, title) in zip(
        figure.subplots(2, 3, sharex=True).flat, COLUMNS.items(), strict=True
    ):
        values = [row[column] for row in rows]
        axes.plot(hours, values, lw=0.8)
        axes.set_ylim(0, max(1, 1.2 * max(values)))
        axes.set_title(title, fontsize=9)
        axes.tick_params(labelsize=8)
    figure.supxlabel(f'hours ({len(rows)} cycles)', fontsize=9)
    figure.savefig(path, dpi=80)
