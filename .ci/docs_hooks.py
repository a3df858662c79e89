"""Hooks of mkdocs: docstrings have Sphinx's roles, which Markdown shows as text."""

import re
from typing import Any

ROLE = re.compile(r':(?:attr|class|data|func|meth|mod):(?=<code>)')


def on_page_content(html: str, **kwargs: Any) -> str:
    """Show :class:`X` as the code X."""
    return ROLE.sub('', html)
