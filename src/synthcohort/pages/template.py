"""What does every page of the study look like?

One frame for all: a header that leads home, a readable column, tables and figures that fit a narrow screen, and a
marked place for the box that says a page was not re-run here. Nothing is loaded from outside the file.
"""

from __future__ import annotations

import html
import re
from pathlib import Path

STUDY = "Synthetic cohorts"
_BANNER = re.compile(r"<!-- skipped -->.*?<!-- /skipped -->", re.DOTALL)

CSS = """
:root { --ink:#1d2429; --soft:#5b6770; --line:#dfe4e8; --tint:#f5f7f8; --link:#0b5c8a; --warn:#8a4b00; }
* { box-sizing:border-box; }
body { margin:0; color:var(--ink); background:#fff; font:16px/1.55 system-ui, "Segoe UI", Roboto, sans-serif; }
header { position:sticky; top:0; z-index:2; background:#fff; border-bottom:1px solid var(--line); }
header nav { max-width:76rem; margin:0 auto; padding:.55rem 1.2rem; display:flex; flex-wrap:wrap; gap:1.1rem; }
header nav a:first-child { font-weight:650; }
main { max-width:76rem; margin:0 auto; padding:.6rem 1.2rem 4rem; }
a { color:var(--link); text-decoration:none; } a:hover { text-decoration:underline; }
h1 { font-size:1.7rem; line-height:1.2; margin:1.4rem 0 .3rem; }
h2 { font-size:1.25rem; margin:2.4rem 0 .4rem; border-top:1px solid var(--line); padding-top:1.1rem; }
h3 { font-size:1.05rem; margin:1.5rem 0 .3rem; }
p, ul, ol { max-width:52rem; margin:.5rem 0; }
.subject { font-size:1.1rem; color:var(--soft); margin:0 0 .6rem; }
figure { margin:1rem 0 1.4rem; } figure img { max-width:100%; height:auto; display:block; }
figcaption, .caption { color:var(--soft); font-size:.9rem; max-width:52rem; margin:.35rem 0; }
.scroll { overflow-x:auto; margin:.6rem 0; } /* with a shadow at the edge behind which there is more */
.scroll { background:linear-gradient(to left, #fff 60%, #fff0) right/3rem 100% no-repeat local,
  linear-gradient(to left, #0003, #0000) right/.8rem 100% no-repeat scroll; }
table { border-collapse:collapse; font-size:.9rem; font-variant-numeric:tabular-nums; }
th, td { padding:.3rem .65rem; text-align:right; border-bottom:1px solid var(--line); vertical-align:top; }
th { font-weight:600; background:var(--tint); } td:not(.text) { white-space:nowrap; }
th.wrapped { vertical-align:bottom; } th.wrapped small { display:block; font-weight:400; }
th.text, td.text { text-align:left; } tbody th { text-align:left; font-weight:500; background:none; }
td.best { font-weight:700; background:#e6f2ea; } td.sentinel, th.sentinel { color:var(--soft); font-style:italic; }
td small { color:var(--soft); font-weight:400; display:block; white-space:nowrap; }
td.text small { white-space:normal; } .group th { background:var(--tint); }
td details { color:var(--soft); font-size:.85rem; max-width:15rem; }
table.dense { font-size:.8rem; } .dense th, .dense td { padding:.25rem; }
.dense thead th { max-width:6.5rem; } .dense td small { white-space:normal; }
.dense td:first-child, .dense th:first-child { position:sticky; left:0; } .dense td:first-child { background:#fff; }
.words { margin:.8rem 0; font-size:.9rem; } .words dl { columns:22rem; margin:.4rem 0; }
.words dt { font-weight:600; break-after:avoid; } .words dd { margin:0 0 .35rem; color:var(--soft); }
.box { border-left:4px solid var(--link); background:#eef5f9; padding:.6rem .9rem; margin:.8rem 0; max-width:60rem; }
.box.warning { border-color:#d98200; background:#fff6e6; color:var(--warn); }
.badge { display:inline-block; padding:.05rem .5rem; border-radius:1rem; font-size:.82rem; white-space:nowrap; }
.badge.supported { background:#d9efe0; color:#0b5a2a; } .badge.contradicted { background:#fbe0dc; color:#8f1d0e; }
.badge.undecided { background:#eceff1; color:#3d4a52; } .badge.untested { background:#fff; color:var(--soft); }
.swatch { display:inline-block; width:.75em; height:.75em; border-radius:50%; margin-right:.4em; }
details.code { margin-top:3rem; } summary { cursor:pointer; color:var(--soft); }
pre { background:var(--tint); padding:.7rem; overflow-x:auto; font-size:.82rem; line-height:1.4; }
footer { border-top:1px solid var(--line); margin-top:3rem; padding-top:.6rem; color:var(--soft); font-size:.85rem; }
@media (max-width:40rem) { body { font-size:15px; } h1 { font-size:1.4rem; } th, td { padding:.25rem .4rem; } }
@media print { header { position:static; } details.code { display:none; } }
"""


def page(title: str, body: str, *, home: str = "") -> str:
    """Return a whole HTML page.

    Args:
        title: the page's title, plain text.
        body: HTML between header and foot.
        home: relative address of the reports folder, "" or ending in a slash.
    """
    heading = html.escape(title)
    full = heading if title == STUDY else f"{heading} · {STUDY}"
    links = "".join(
        f'<a href="{home}{name}.html">{text}</a>'
        for name, text in (("index", STUDY), ("findings", "Findings"), ("cost", "Cost"))
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{full}</title>\n<style>{CSS}</style>\n</head>\n<body>\n"
        f"<header><nav>{links}</nav></header>\n<main>\n<!-- skipped --><!-- /skipped -->\n"
        f"{body}\n</main>\n</body>\n</html>\n"
    )


def skipped_box(reason: str) -> str:
    """Return the box that says results were not computed on this machine, and why."""
    return f'<div class="box warning" role="note">Not re-run on this machine: {html.escape(reason)}</div>'


def mark_skipped(path: Path, reason: str) -> None:
    """Put the box with `reason` at the top of the page at `path`; a second call replaces the first box.

    Raises:
        ValueError: if the file is not a page of this study.
    """
    text = path.read_text(encoding="utf-8")
    marked = f"<!-- skipped -->{skipped_box(reason)}<!-- /skipped -->"
    if not _BANNER.search(text):
        raise ValueError(f"{path.name} has no place for the box; it was not written by this study")
    after = _BANNER.sub(lambda _: marked, text, count=1)
    if after != text:
        partial = path.with_name(path.name + ".partial")
        partial.write_text(after, encoding="utf-8")
        partial.replace(path)
