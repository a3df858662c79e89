"""The look of a report: small functions from values to HTML, and the frame around them."""

import base64
import io
from html import escape

from PIL import Image

STYLE = """
:root { --ink: #22313f; --soft: #5a6b78; --line: #dfe5e9; --accent: #1f6f8b; --bar: #d7e8ee; }
* { box-sizing: border-box; }
body { margin: 0; background: #fbfbf9; color: var(--ink); line-height: 1.55;
  font: 16px/1.55 -apple-system, "Segoe UI", "Helvetica Neue", "DejaVu Sans", Arial, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 2.2rem 1.2rem 4rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .3rem; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 2.8rem 0 .8rem; padding-top: 1.2rem;
  border-top: 1px solid var(--line); }
h3 { font-size: 1.1rem; margin: 2.2rem 0 .5rem; }
h4 { font-size: .95rem; margin: 1.2rem 0 .4rem; color: var(--soft); font-weight: 600; }
p { max-width: 46rem; margin: .5rem 0; }
.soft { color: var(--soft); font-size: .9rem; }
.note { background: #fdf6e3; border-left: 3px solid #c9a227; padding: .6rem .9rem;
  max-width: 46rem; overflow-wrap: anywhere; }
nav { margin: 1rem 0 0; font-size: .92rem; }
nav a { margin-right: 1rem; white-space: nowrap; }
a { color: var(--accent); }
.figures { display: flex; flex-wrap: wrap; gap: .8rem; margin: 1.3rem 0; }
.figures div { background: #fff; border: 1px solid var(--line); border-radius: 6px;
  padding: .7rem 1rem; min-width: 8.5rem; }
.figures b { display: block; font-size: 1.55rem; line-height: 1.2; font-weight: 600; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; background: #fff; font-variant-numeric: tabular-nums; }
th, td { padding: .34rem .8rem; border-bottom: 1px solid var(--line); text-align: right; }
th { font-size: .85rem; color: var(--soft); font-weight: 600; vertical-align: bottom; }
th:first-child, td:first-child { text-align: left; }
tbody th { color: var(--ink); font-size: 1rem; font-weight: 400; }
tfoot td, tfoot th { font-weight: 600; border-bottom: 0; color: var(--ink); font-size: 1rem; }
td.bar { background: linear-gradient(90deg, var(--bar) var(--to), transparent var(--to))
  no-repeat 0 50% / 100% 74%; }
.facts td, .facts th { text-align: left; vertical-align: top; overflow-wrap: anywhere;
  font-size: .9rem; }
.grid { display: grid; gap: 1rem; align-items: start;
  grid-template-columns: repeat(auto-fill, minmax(230px, 1fr)); }
.wide { grid-template-columns: repeat(auto-fill, minmax(300px, 1fr)); }
figure { margin: 0; background: #fff; border: 1px solid var(--line); border-radius: 6px;
  padding: .5rem; }
figure img { display: block; width: 100%; height: auto; }
figure.sheet { display: inline-block; max-width: 100%; overflow-x: auto; }
figure.sheet img { width: auto; min-width: 34rem; max-width: 100%; }
figcaption { font-size: .86rem; color: var(--soft); padding: .3rem .2rem 0;
  overflow-wrap: anywhere; }
details { margin: .8rem 0; } summary { cursor: pointer; color: var(--accent); }
pre { background: #f3f5f6; padding: .9rem; overflow-x: auto; font-size: .8rem; line-height: 1.45; }
code { font-size: .9em; background: #f0f3f4; padding: .1em .3em; border-radius: 3px;
  overflow-wrap: anywhere; }
@media (max-width: 560px) {
  main { padding: 1.2rem .8rem 3rem; } h1 { font-size: 1.4rem; }
  th, td { padding: .3rem .45rem; } .figures div { min-width: 0; flex: 1 1 40%; }
  .small { grid-template-columns: repeat(2, 1fr); gap: .5rem; } figure { padding: .25rem; } }
"""


def page(title, body):
    """A whole page; its policy forbids it to fetch anything."""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<link rel="icon" href="data:,">
<title>{escape(title)}</title>
<style>{STYLE}</style>
</head>
<body><main>
{body}
</main></body>
</html>
"""


def section(title, name, *parts):
    """A heading with the anchor `name`, and what stands below it."""
    return f'<section>\n<h2 id="{name}">{escape(title)}</h2>\n' + '\n'.join(parts) + '\n</section>'


def note(text):
    """What the page cannot show, and why."""
    return f'<p class="note">{escape(text)}</p>'


def svg_picture(svg, alt):
    return _img('image/svg+xml', svg.encode(), alt)


def jpeg_picture(pixels, alt, quality=85):
    """(H, W, 3) uint8 RGB as an <img>."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, 'JPEG', quality=quality, optimize=True)
    return _img('image/jpeg', file.getvalue(), alt)


def _img(kind, data, alt):
    data = base64.b64encode(data).decode()
    return f'<img alt="{escape(alt)}" src="data:{kind};base64,{data}">'


def figure(picture, caption, kind=''):
    """A picture over its caption (text, not markup)."""
    return (
        f'<figure{f" class={kind}" if kind else ""}>{picture}'
        f'<figcaption>{escape(caption)}</figcaption></figure>'
    )


def grid(figures, kind=''):
    return f'<div class="grid {kind}">' + '\n'.join(figures) + '</div>'


def facts(pairs):
    """A two-column table of names and values."""
    rows = ''.join(
        f'<tr><th scope="row">{escape(str(key))}</th><td>{escape(str(value))}</td></tr>'
        for key, value in pairs.items()
    )
    return f'<div class="scroll"><table class="facts"><tbody>{rows}</tbody></table></div>'


def folded(title, content):
    return f'<details><summary>{escape(title)}</summary>{content}</details>'


def cell(fraction):
    """A fraction in per cent, with a bar behind it; a dash for None."""
    if fraction is None:
        return '<td>–</td>'
    return f'<td class="bar" style="--to:{100 * fraction:.1f}%">{100 * fraction:.1f}</td>'
