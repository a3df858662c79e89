"""The facts of a report as typed records; the templates only lay them out."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np


@dataclass(frozen=True)
class Figure:
    """An image of the page.

    Attributes:
        content (str | ndarray): Text of an SVG, or (h, w, 3) uint8 RGB.
        alt (str): What it shows, for readers without images.
        caption (str): The line below it.
    """

    content: str | np.ndarray
    alt: str
    caption: str


@dataclass(frozen=True)
class ClassResult:
    """One row of the table of results: a class, and its AP (0 to 1) by each metric."""

    name: str
    positives: int
    difficult: int
    aps: list[float | None]


@dataclass(frozen=True)
class PointRow:
    """Localization of one class, or a mean: pointing AP and hit rate (0 to 1).

    Attributes:
        name (str): Of the class, or of the mean.
        positives (int | None): Images; None for a mean.
        ap (float | None): By the maximum of the map; `centre_ap`: by the centre of the image.
        hit_rate (float | None): The same two for the share of positive images with a right point.
    """

    name: str
    positives: int | None
    ap: float | None
    centre_ap: float | None
    hit_rate: float | None
    centre_hit_rate: float | None


@dataclass(frozen=True)
class PointTable:
    """One pointing metric: its name, pixels of tolerance, classes and means."""

    metric: str
    tolerance: float
    hit_tolerance: float
    classes: list[PointRow]
    means: list[PointRow]


class APInterval(NamedTuple):
    """95 % bounds of an AP (0 to 1) over the test images."""

    low: float
    high: float


@dataclass(frozen=True)
class Intervals:
    """Bounds of the AP of each class, and of the mean, by one metric; None where undefined.

    Attributes:
        covers (str): What they are bounds of, in words.
    """

    metric: str
    classes: dict[str, APInterval | None]
    mean: APInterval | None
    covers: str = (
        'The interval is what another draw of the test images could have given (bootstrap over '
        'images); it does not cover another training.'
    )


@dataclass(frozen=True)
class Results:
    """The tables of voc_ap.json.

    Attributes:
        columns (list[str]): Titles of the metrics of classification; perhaps none.
        classes (list[ClassResult]): One per class.
        means (list[tuple]): Name and value by each metric.
        pointing (list[PointTable]): Of the pointing metrics.
        meaningless (str): Which AP of classification says nothing; localization is then first.
        intervals (Intervals, optional): Of the first metric.
        said (str): Which images they are of, where they are not those of a test.
    """

    columns: list[str]
    classes: list[ClassResult]
    means: list[tuple[str, list[float | None]]]
    pointing: list[PointTable]
    meaningless: str = ''
    intervals: Intervals | None = None
    said: str = ''


@dataclass(frozen=True)
class Figures:
    """Figures, or a note that says why there are none; `left_out` says which are not there.

    Attributes:
        said (str): A sentence below them.
    """

    figures: list[Figure] = field(default_factory=list)
    note: str = ''
    left_out: str = ''
    said: str = ''


@dataclass(frozen=True)
class ClassExamples:
    """The examples of one class: contact sheet, and title and figures of each group."""

    name: str
    sheet: Figure | None
    groups: list[tuple[str, list[Figure]]]


@dataclass(frozen=True)
class Examples:
    """Example images per class and the damping of their maps, or a note.

    Attributes:
        calibrated (bool): Colours of the maps are probabilities.
        said (str): By which head the maps are, where it is not that of the checkpoint.
    """

    classes: list[ClassExamples] = field(default_factory=list)
    damping: float = 0
    calibrated: bool = False
    note: str = ''
    left_out: str = ''
    said: str = ''


@dataclass(frozen=True)
class Step:
    """Something to do next.

    Attributes:
        title (str): What.
        text (str): Why, and what it gives.
        lines (list[str]): What it is about, one per line.
        command (str): That does it; '' for none.
    """

    title: str
    text: str
    lines: list[str] = field(default_factory=list)
    command: str = ''


@dataclass(frozen=True)
class Provenance:
    """How a run was made.

    Attributes:
        commands (dict): Name → value of the table.
        environment (dict): Of the run's log; empty without one.
        config (str): Text of the config.
    """

    commands: dict[str, str]
    environment: dict[str, str]
    config: str


@dataclass(frozen=True)
class Report:
    """All that the page shows.

    Attributes:
        title (str): Name of the run.
        version (str): Of tcnn_mm.
        headline (list[tuple[str, str]]): Value and its name, of the boxes at the top.
        results (Results | None): None without a voc_ap.json.
        cross_validation (Results | None): Of a fit that has images for test alone too.
        decisions (dict[str, str]): What a fit decided and why; empty for other runs.
        unlike (str): How many test images are unlike the training images; '' where unknown.
        next_steps (list[Step]): Of a fit; empty for other runs.
    """

    title: str
    version: str
    headline: list[tuple[str, str]]
    results: Results | None
    curves: Figures
    probabilities: Figures
    training: Figures
    examples: Examples
    provenance: Provenance
    decisions: dict[str, str] = field(default_factory=dict)
    cross_validation: Results | None = None
    unlike: str = ''
    next_steps: list[Step] = field(default_factory=list)
