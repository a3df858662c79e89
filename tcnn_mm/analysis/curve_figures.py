"""Text tables and figures of learning curves and of sweeps over k."""

from collections.abc import Mapping

import numpy as np

from tcnn_mm.analysis.learning_curve import Summary
from tcnn_mm.visualization.figure import make_figure


def learning_curve_lines(table: Summary, label: str) -> list[str]:
    """The summary of a learning curve as text, one line per fraction."""
    lines = [f'{label}: mean (min–max over seeds)']
    lines.append(f'{"images":>14}' + ''.join(f'{method:>22}' for method in table))
    for fraction in sorted({f for rows in table.values() for f in rows}):
        rows = [mine.get(fraction) for mine in table.values()]
        count = next(row[0] for row in rows if row)
        cells = [
            f'{100 * row[1]:.1f} ({100 * row[2]:.1f}–{100 * row[3]:.1f})' if row else '–'
            for row in rows
        ]
        lines.append(f'{count:6d} {100 * fraction:5.4g} %' + ''.join(f'{c:>22}' for c in cells))
    return lines


def draw_learning_curve(path: str, table: Summary, label: str) -> None:
    """Draw means over the number of images, with the range over seeds as a band."""
    figure = make_figure((6.4, 4.2))
    axis = figure.subplots()
    for method, rows in table.items():
        count, mean, low, high = np.array(list(rows.values())).T
        (line,) = axis.plot(count, 100 * mean, 'o-', ms=4, label=method)
        axis.fill_between(count, 100 * low, 100 * high, alpha=0.2, color=line.get_color(), lw=0)
    counts = sorted({row[0] for rows in table.values() for row in rows.values()})
    axis.set_xscale('log')
    axis.set_xticks(counts, [str(count) for count in counts])
    axis.minorticks_off()
    axis.set(xlabel='training images', ylabel=label)
    axis.grid(alpha=0.3)
    axis.legend(fontsize=8)
    figure.savefig(path)


def draw_sweep(path: str, means: Mapping[str, float], chosen: str, label: str) -> None:
    """Draw means over k; other aggregators are level lines, a star marks the chosen one.

    Args:
        path: A PNG file.
        means: Aggregator → mean AP as a fraction; names `k=5`, `max`, ….
        chosen: One of them.
        label: Of the vertical axis.
    """
    figure = make_figure((8, 4))
    axis = figure.subplots()
    figures = {name: 100 * mean for name, mean in means.items()}
    powers = {int(name[2:]): value for name, value in figures.items() if name[:2] == 'k='}
    axis.plot(list(powers), list(powers.values()), 'o-', ms=4, label='mean of y^k')
    for i, name in enumerate(name for name in figures if name[:2] != 'k='):
        axis.axhline(figures[name], ls='--', lw=1, color=f'C{i + 1}', label=name)
    at = int(chosen[2:]) if chosen[:2] == 'k=' else max(powers)
    axis.plot(at, figures[chosen], 'k*', ms=11, label=f'chosen: {chosen}', zorder=3)
    low, high = min(figures.values()), max(figures.values())
    margin = 0.06 * (high - low) + 0.01
    axis.set(xlabel='k', ylabel=label, xticks=list(powers), ylim=(low - margin, high + margin))
    axis.grid(alpha=0.3)
    figure.legend(fontsize=8, loc='outside right upper')
    figure.savefig(path)
