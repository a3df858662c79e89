"""The templates: values escaped, notes in the place of missing parts, nothing loaded."""

import dataclasses

import numpy as np
import pytest

from tcnn_mm.reports.facts import (
    APInterval,
    ClassExamples,
    ClassResult,
    Examples,
    Figure,
    Figures,
    Intervals,
    PointRow,
    PointTable,
    Provenance,
    Report,
    Results,
)
from tcnn_mm.reports.render import data_uri, render_page

EVIL = '<script>alert("1")</script>'
PIXELS = np.zeros((4, 6, 3), np.uint8)


def report(**parts):
    """A report of which everything is missing but `parts`."""
    empty = dict(
        title='run',
        version='0',
        headline=[],
        results=None,
        curves=Figures(note='no curves'),
        probabilities=Figures(note='no probabilities'),
        training=Figures(note='no training'),
        examples=Examples(note='no examples'),
        provenance=Provenance({}, {}, ''),
    )
    return Report(**{**empty, **parts})


def full(name):
    """A report in which every text is `name`."""
    figure = Figure(PIXELS, name, name)
    return report(
        title=name,
        headline=[('50.0', name)],
        results=Results(
            [name], [ClassResult(name, 3, 1, [0.5])], [(name, [None])],
            [PointTable(name, 18, 15, [PointRow(name, 3, 0.2, 0.1, 0.25, 0.125)], [])], name,
            Intervals(name, {name: APInterval(0.25, 0.75)}, None),
        ),
        curves=Figures([figure]),
        probabilities=Figures([figure]),
        training=Figures([Figure('<svg/>', name, name)]),
        examples=Examples([ClassExamples(name, figure, [(name, [figure])])], 20),
        provenance=Provenance({name: name}, {name: name}, name),
        decisions={name: name},
    )  # fmt: skip


def test_every_text_is_escaped():
    """Names of classes, files, commands and configs cannot add markup."""
    page = render_page(full(EVIL))
    assert '<script' not in page
    # Title 2, headline 1, decisions 2, results 7, curves 2, probabilities 2, training 2,
    # examples 6, provenance 5.
    assert page.count('&lt;script&gt;alert(&#34;1&#34;)&lt;/script&gt;') == 29
    assert render_page(full('plain')).count('plain') == 29


def test_numbers_are_shown_as_per_cent():
    """AP with a bar, a dash where there is none, hit rates and damping."""
    page = render_page(full('x'))
    assert '<td class="bar" style="--to:50.0%">50.0</td>' in page and '<td>–</td>' in page
    assert 'within 18 px' in page and 'within 15 px' in page
    assert '>25.0</td>' in page and '>12.5</td>' in page
    assert 'damped by 20.' in page
    assert 'damped' not in render_page(report(examples=Examples([], 0)))


def test_localization_is_first_where_an_ap_says_nothing():
    """Else classification is."""
    page = render_page(full('x'))
    assert page.index('>Localization') < page.index('>Classification')
    other = full('x')
    results = dataclasses.replace(other.results, meaningless='')
    page = render_page(dataclasses.replace(other, results=results))
    assert page.index('>Classification') < page.index('>Localization')


def test_missing_parts_are_notes():
    """Each missing part has a note in its place."""
    page = render_page(report())
    for note in (
        'No results: ',
        'no curves',
        'no training',
        'no examples',
        'The folder holds no log',
    ):
        assert f'<p class="note">{note}' in page
    assert page.count('class="note"') == 6
    assert render_page(full('x')).count('class="note"') == 1  # which AP says nothing


@pytest.mark.parametrize(('content', 'kind'), [('<svg/>', 'svg+xml'), (PIXELS, 'jpeg')])
def test_images_are_inside_the_page(content, kind):
    """Pixels as JPEG, curves as SVG, both as data URIs."""
    assert data_uri(content).startswith(f'data:image/{kind};base64,')
