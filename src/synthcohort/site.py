"""Which page does a reader open first, and what does the README quote?

`reports/index.html` and the results block of README.md, both computed from `reports/findings.json`.
"""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from synthcohort.datasets.catalogue import CATALOGUE
from synthcohort.figures import labels, style
from synthcohort.pages import glossary, template
from synthcohort.report import asked, captions, gathering
from synthcohort.report.findings import read
from synthcohort.report.tables import Cell, number, table
from synthcohort.report.tables_study import best, nobody
from synthcohort.report.verdicts import first
from synthcohort.study import Params, Study

START, END = "<!-- results:start -->", "<!-- results:end -->"
_ABOUT = (
    "Synthetic tables promise to share what a patients' table teaches without sharing the patients. This study fits "
    "every "
    "generator on the same splits of every table and asks the same four questions: does a model trained on the "
    "synthetic "
    "rows work on real patients, can the rows be told from real ones, are they new, and do they help to find a rare "
    "class. "
    "Two sentinels stand beside the methods: bootstrap copies rows, independent shuffles each column by itself."
)
_QUESTIONS = {
    "utility": "to train a model",
    "fidelity": "hardest to tell from real",
    "privacy": "least memorisation",
    "trusted": "to hand out",
}
_PAGES = {
    "faithful": ("Is it faithful?", "Whether the rows can be told from real ones, and which metrics would be fooled"),
    "useful": ("Is it useful?", "What classifiers lose when they learn from synthetic rows"),
    "rare_class": (
        "Does it help the rare class, and does it beat moving the threshold?",
        "Added minority rows beside rivals that need no generator",
    ),
    "leak": ("Does it leak?", "What attackers find out about who was among the train rows"),
    "fair": (
        "Do balanced rows make fair models?",
        "Fairness against accuracy, beside rivals that mend the real rows or the decisions",
    ),
    "few_steps": (
        "How few evaluations of the network draw a good row?",
        "Quality against the length of a draw, for diffusion: of whole rows, and of hidden cells",
    ),
    "impute": (
        "Who fills the holes of a table best?",
        "Cells that were hidden, imputers beside generators that impute: errors, honesty about them, cost",
    ),
    "ablations": (
        "What do the three ideas of MTabGen bring?",
        "A transformer, dynamic masks and cross-attention, each taken away: what is lost, and what it costs",
    ),
    "width": (
        "What do wide tables cost?",
        "Seconds, memory and quality on simulated tables of {narrowest:,} to {widest:,} columns, whose law is known",
    ),
    "frontier": (
        "What does privacy cost?",
        "Fidelity, use, fairness and attacks for every budget of differential privacy",
    ),
    "audit": (
        "Do attacks agree with the budgets that are claimed?",
        "Lower bounds on epsilon from canaries, beside two mechanisms broken on purpose",
    ),
    "settings": (
        "What did the search for settings find?",
        "How much each generator depends on its settings, and which the study runs",
    ),
    "scale": (
        "What do more rows and more columns cost?",
        "CPU seconds and memory of every generator on ever larger tables, and which take how much within a budget",
    ),
}
_VERDICTS = {
    "contradicted": "Contradicted",
    "supported": "Supported",
    "undecided": "Undecided: this study cannot tell",
}


class SiteError(RuntimeError):
    """A page of the site cannot be written; the message says which file lacks what."""


def write(study: Study) -> Path:
    """Write the index and the README's table; return the index."""
    write_readme(study)
    return write_index(study)


def write_index(study: Study) -> Path:
    """Write reports/index.html and return its path."""
    found = read(study.paths.findings)
    path = study.paths.page("index")
    skipped = gathering.skipped(study)
    boxes = "".join(
        f'<div class="box warning" role="note"><code>{html.escape(name)}</code> was not re-run on this machine: '
        f"{html.escape(reason)}</div>"
        for name, reason in skipped.items()
    )
    body = (
        f"<h1>{template.STUDY}: which generator may you trust with your patients' table?</h1>"
        f"<p>{_ABOUT}</p>{boxes}"
        f'<h2>The answer for each table</h2><div class="scroll">{_answers(found)}</div><p '
        f'class="caption">{_note(found)}</p>'
        f"<h2>Questions</h2>{_pages(study.params)}"
        f"<h2>Tables</h2>{_tables(study, found)}"
        f'<h2>Claims of the papers</h2>{_claims(found)}<p><a href="findings.html">All findings, with intervals</a> · '
        f'<a href="cost.html">what it cost</a></p>'
    )
    text = template.page(template.STUDY, glossary.placed(body))
    partial = path.with_name(path.name + ".partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
    return path


def write_readme(study: Study) -> Path:
    """Put the results table between its two marks in README.md and return its path.

    Raises:
        SiteError: if README.md does not hold both marks, once each and in order.
    """
    path = study.paths.root / "README.md"
    text = path.read_text(encoding="utf-8")
    if text.count(START) != 1 or text.count(END) != 1 or text.index(START) > text.index(END):
        raise SiteError(f"README.md needs the line {START} and, below it, the line {END}, once each; put them back")
    before, rest = text.split(START)
    _, after = rest.split(END)
    whole = f"{before}{START}\n{markdown(read(study.paths.findings))}\n{END}{after}"
    if whole != text:
        partial = path.with_name(path.name + ".partial")
        partial.write_text(whole, encoding="utf-8")
        partial.replace(path)
    return path


def markdown(found: Mapping[str, Any]) -> str:
    """Return the results of the study as Markdown: a table of answers, then the verdicts on the claims."""
    head = ["table", *_QUESTIONS.values(), "real rows give"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for name, one in found["tables"].items():
        cells = [_said(one, question) for question in _QUESTIONS]
        lines.append("| " + " | ".join([name, *cells, _number(one["real"]["mean"])]) + " |")
    lines += ["", _note(found)]
    if found["claims"]:
        lines += ["", _tally(found)]
    for verdict, title in _VERDICTS.items():
        own = [claim for claim in found["claims"] if claim["verdict"] == verdict]
        if own:
            lines += [
                "",
                f"<details><summary><b>{title}</b>: {len(own)}</summary>",
                "",
                *map(_bullet, own),
                "",
                "</details>",
            ]
    return "\n".join(lines)


def _tally(found: Mapping[str, Any]) -> str:
    """Return how many claims met which verdict, as one sentence."""
    counts = Counter(claim["verdict"] for claim in found["claims"])
    told = ", ".join(f"{counts[verdict]} **{verdict}**" for verdict in _VERDICTS if counts[verdict])
    return (
        f"Of {len(found['claims'])} claims: {told}. A verdict needs an interval on one side of the margin on "
        f"at least one table and on the other side on none; in brackets tables for / against / open."
    )


def _bullet(claim: Mapping[str, Any]) -> str:
    return f"- {claim['text']} *{claim['source']}* ({_counts(claim)})"


def _counts(claim: Mapping[str, Any]) -> str:
    return f"{claim['supported']} / {claim['contradicted']} / {claim['undecided']}"


def _answers(found: Mapping[str, Any]) -> str:
    rows = [
        [name, *(_answer(one, question) for question in _QUESTIONS), _number(one["real"]["mean"])]
        for name, one in found["tables"].items()
    ]
    return table(["table", *_QUESTIONS.values(), "real rows give"], rows, text=range(5))


def _pages(params: Params) -> str:
    """Return links to the pages of the questions that are asked, then the others with the setting that asks them."""
    widths = {"narrowest": params.width.columns[0], "widest": params.width.columns[-1]}
    items = [
        f'<li><a href="{page}.html">{question}</a> {about.format(**widths)}.</li>'
        for page, (question, about) in _PAGES.items()
        if asked.is_asked(params, page)
    ]
    silent = [
        f"{question.removesuffix('?')} (<code>{' or '.join(asked.SETTINGS[page])}</code>)"
        for page, (question, _) in _PAGES.items()
        if not asked.is_asked(params, page)
    ]
    rest = (
        f'<p class="caption">Not asked in this run, since the setting in brackets names nothing in params.yaml: '
        f"{'; '.join(silent)}.</p>"
    )
    return f"<ul>{''.join(items)}</ul>{rest if silent else ''}"


def _tables(study: Study, found: Mapping[str, Any]) -> str:
    items = []
    for name in study.params.datasets:
        entry = CATALOGUE.get(name)
        title = html.escape(captions.subject(entry.card) if entry is not None else f"{name}, a table of your own")
        said = "".join(f"<li>{html.escape(s)}</li>" for s in found["tables"].get(name, {}).get("sentences", []))
        links = [f'<a href="tables/{name}.html">Every generator side by side</a>'] if study.generators(name) else []
        links.append(f'<a href="raw/{name}.html">what came in</a>')
        items.append(f"<h3>{title}</h3><p>{' · '.join(links)}</p><ul>{said}</ul>")
    return "".join(items)


def _claims(found: Mapping[str, Any]) -> str:
    if not found["claims"]:
        return "<p>params.yaml states no claim to test.</p>"
    rows = [
        [
            Cell(claim["text"], claim["source"], "text"),
            Cell(claim["verdict"], css="text", badge=claim["verdict"]),
            _counts(claim),
        ]
        for verdict in _VERDICTS
        for claim in found["claims"]
        if claim["verdict"] == verdict
    ]
    return f'<div class="scroll">{table(["claim", "verdict", "tables for / against / open"], rows, text=(0, 1))}</div>'


def _note(found: Mapping[str, Any]) -> str:
    return (
        f"Best method by its mean over {found['splits']} splits, with its {100 * found['confidence']:g} % interval; "
        "after “or” the methods it cannot be told from by the paired interval. To hand out: the most useful among the "
        "methods whose memorisation is surely below the study's limit."
    )


def _answer(one: Mapping[str, Any], question: str) -> Cell:
    if question == "trusted" and one["trusted"] is None:
        return nobody(one["undecided"])
    choice = one[question]
    return Cell("none", css="text") if choice is None else best(choice["generator"], _measured(choice), choice["ties"])


def _said(one: Mapping[str, Any], question: str) -> str:
    """Return the answer as one line of Markdown, where nothing opens on a click."""
    choice = one[question]
    if choice is not None:
        ties = f" (or {first(choice['ties'])})" if choice["ties"] else ""
        return f"{style.label(choice['generator'])}{ties}: {_measured(choice)}"
    if question != "trusted":
        return "none"
    return "none for sure" + (f": too few splits to tell: {first(one['undecided'])}" if one["undecided"] else "")


def _measured(choice: Mapping[str, Any]) -> str:
    bounds = "" if choice["low"] is None else f" [{_number(choice['low'])}, {_number(choice['high'])}]"
    return f"{labels.quantity(choice['metric'])} {_number(choice['mean'])}{bounds}"


def _number(value: float | None) -> str:
    return "–" if value is None else number(value)
