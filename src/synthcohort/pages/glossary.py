"""Which words of a page may a stranger not know, and what do they mean?

Names of measures, attacks and methods come up again and again; each is explained once, in a list that opens on a click
below the answer. It holds the words that stand on the page and no others.
"""

from __future__ import annotations

import html
import re

MEASURES = {
    "AUROC": "how well a score puts positives before negatives: 0.5 by chance, 1 without an error",
    "AUPRC": "precision, averaged over all recalls",
    "F1": "harmonic mean of precision and recall of the class of interest",
    "F2": "as F1, but a case that is missed weighs more than a false alarm",
    "Brier score": "mean squared error of predicted risks",
    "TSTR": "train on synthetic, test on real: a model learns from synthetic rows and is judged on real ones",
    "C2ST": "classifier two-sample test: a classifier learns to tell synthetic rows from real ones; 0.5: it cannot",
    "Shape": "how alike the columns are, one by one; 1: the same",
    "Trend": "how alike the pairs of columns are; 1: the same",
    "MMD": "maximum mean discrepancy, a distance between the laws of two tables; 0: the same",
    "Wasserstein distance": "how far rows must move to make one table into the other",
    "Alpha-precision": "whether synthetic rows are typical of real ones",
    "Beta-recall": "whether synthetic rows reach the variety of real ones",
    "memorisation": "how near synthetic rows are to train rows: 0 as fresh patients would be, 1 as copies are",
    "DCR share": "share of synthetic rows that are nearer to a train row than to a fresh one; 0.5: no nearer",
    "CRPS": "error of a whole distribution of draws for one cell",
    "MCAR": "cells missing completely at random",
    "MAR": "cells missing by what other cells of the row say",
    "MNAR": "cells missing by what they themselves hold",
    "demographic parity ratio": "smallest over largest share of positive decisions among groups; 1: equal",
    "equalized odds ratio": "the same of true and of false positive rates, the worse of the two",
}
ATTACKS = {
    "membership": "whether an attacker tells patients whose rows were learned from, from others",
    "DOMIAS": "a membership attack: where are synthetic rows denser than real ones?",
    "LOGAN": "a membership attack: does a classifier take a row for a synthetic one?",
    "Monte Carlo": "a membership attack: how many synthetic rows lie around a row?",
    "shadow models": "a membership attack: the generator is fitted again and again, with and without a row",
    "ε": "budget of differential privacy: the smaller, the less a single patient can change what is drawn",
}
METHODS = {
    "bootstrap": "a sentinel, no method: train rows, drawn with replacement",
    "independent": "a sentinel, no method: every column shuffled by itself",
    "gaussian copula": "columns as they are, joined by one matrix of correlations",
    "smote": "points between a row and its neighbours",
    "bayesian network": "a small table of each column given a few others",
    "arf": "adversarial random forest: trees until they cannot tell their own rows",
    "forest diffusion": "diffusion by boosted trees instead of a network",
    "flow": "a normalising flow",
    "vae": "a variational autoencoder",
    "tvae": "a variational autoencoder for tables",
    "medgan": "an adversarial network for health records",
    "corgan": "medgan with convolutions",
    "ctgan": "a conditional adversarial network",
    "table gan": "an adversarial network that sees rows as pictures",
    "ctab gan": "a conditional adversarial network that sees rows as pictures",
    "tabddpm": "diffusion of numeric and categorical columns",
    "mtabgen": "diffusion by a transformer that learns every cell given any others",
    "mice": "chained linear regressions",
    "resampled": "real rows drawn again until groups are balanced",
    "reweighed": "real rows with weights that balance groups",
    "fair smote": "real rows and points between them until groups are balanced",
    "threshold demographic parity": "another cut point for each group, for equal shares of positive decisions",
    "threshold equalized odds": "another cut point for each group, for equal rates of true and false positives",
}
STATISTICS = {
    "Holm": "the bar is raised because many questions are asked at once",
    "corrected resampled t": "an interval over splits that allows for the rows they share",
}
WORDS = MEASURES | ATTACKS | METHODS | STATISTICS
_SILENT = re.compile(r"<pre\b.*?</pre>|<[^>]+>", re.DOTALL)


def explained(body: str) -> str:
    """Return the words of `body`, HTML, with what they mean, as a list that opens on a click; "" without any."""
    said = html.unescape(_SILENT.sub(" ", body))
    found = {word: meaning for word, meaning in WORDS.items() if _stands(word, said)}
    items = "".join(f"<dt>{html.escape(word)}</dt><dd>{html.escape(meaning)}</dd>" for word, meaning in found.items())
    return f'<details class="words"><summary>What the words mean</summary><dl>{items}</dl></details>' if found else ""


def placed(body: str) -> str:
    """Return `body` with the list of its words before its second heading, at its end where there is none."""
    place = body.find("<h2")
    place = len(body) if place < 0 else place
    return body[:place] + explained(body) + body[place:]


def _stands(word: str, said: str) -> bool:
    """Return whether a word is said, be it at the beginning of a sentence."""
    first = f"[{word[0]}{word[0].upper()}]"
    return re.search(rf"(?<!\w){first}{re.escape(word[1:])}(?!\w)", said) is not None
