"""Render the facts of a report as one HTML page by the templates of this package."""

import base64
import io

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image

from tcnn_mm.reports.facts import Report

QUALITY = 85  # of JPEGs


def data_uri(content: str | np.ndarray) -> str:
    """The text of an SVG, or pixels (H, W, 3) uint8 RGB as JPEG, as the `src` of an image."""
    if isinstance(content, str):
        kind, data = 'image/svg+xml', content.encode()
    else:
        file = io.BytesIO()
        Image.fromarray(content).save(file, 'JPEG', quality=QUALITY, optimize=True)
        kind, data = 'image/jpeg', file.getvalue()
    return f'data:{kind};base64,{base64.b64encode(data).decode()}'


def environment() -> Environment:
    """Jinja2 with the templates of this package; every value is escaped, a missing one raises."""
    env = Environment(
        loader=PackageLoader('tcnn_mm.reports'),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters['data_uri'] = data_uri
    return env


def render_page(report: Report) -> str:
    """The page: one file without scripts; its policy forbids it to load anything."""
    return environment().get_template('report.html.j2').render(report=report)
