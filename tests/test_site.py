"""Index and README: both say what findings.json says, and only between their marks."""

import json

import pytest

from synthcohort import site
from synthcohort import study as studies

PARAMS = "study: {seed: 1}\ndatasets: {wdbc: {}, rare_liver: {}}\ngenerators: {vae: {}, smote: {}}\n"
CHOICE = {"generator": "vae", "condition": "as_observed", "metric": "tstr_auroc_xgboost", "mean": 0.91, "low": 0.9,
          "high": 0.92, "splits": 3, "ties": ["smote"]}  # fmt: skip
TABLE = {
    **dict.fromkeys(("utility", "fidelity", "privacy"), CHOICE), "trusted": None, "augmentation": None, "rival": None,
    "undecided": ["smote"], "real": {"mean": 0.95, "low": None, "high": None, "splits": 3},
    "sentences": ["To train a model: vae & friends."], "generators": {},
}  # fmt: skip
CLAIM = {
    "verdict": "contradicted", "supported": 0, "contradicted": 2, "undecided": 1, "text": "A beats B.",
    "source": "Paper 2020",
}  # fmt: skip


@pytest.fixture
def study(tmp_path):
    (tmp_path / "params.yaml").write_text(PARAMS)
    (tmp_path / "dvc.yaml").touch()
    (tmp_path / "README.md").write_text(f"# Title\n{site.START}\noutdated\n{site.END}\nThe rest.\n")
    opened = studies.load(tmp_path)
    found = {"splits": 3, "confidence": 0.95, "skipped": {}, "tables": {"wdbc": TABLE}, "claims": [CLAIM]}
    opened.paths.findings.parent.mkdir()
    opened.paths.findings.write_text(json.dumps(found))
    return opened


def test_the_readme_changes_only_between_its_marks_and_only_once(study):
    path = site.write_readme(study)
    text = path.read_text()
    assert text.startswith("# Title\n") and text.endswith("\nThe rest.\n") and "outdated" not in text
    assert "vae (or smote): AUROC 0.910 [0.900, 0.920]" in text and "- A beats B. *Paper 2020* (0 / 2 / 1)" in text
    assert (
        "Of 1 claims: 1 **contradicted**. A verdict needs an interval on one side of the margin on at least" in text
        and "Supported" not in text
    )
    assert "none for sure: too few splits to tell: smote" in text
    site.write_readme(study)
    assert path.read_text() == text


@pytest.mark.parametrize(
    "text", ["# Title\n", f"{site.END}\n{site.START}\n", f"{site.START}\n{site.START}\n{site.END}"]
)
def test_a_readme_without_its_marks_is_refused_and_kept(study, text):
    path = study.paths.root / "README.md"
    path.write_text(text)
    with pytest.raises(site.SiteError, match=r"README.md needs the line <!-- results:start -->"):
        site.write_readme(study)
    assert path.read_text() == text


def test_the_index_leads_to_every_table_and_names_what_is_simulated(study):
    text = site.write_index(study).read_text()
    for link in (
        "tables/wdbc.html",
        "raw/wdbc.html",
        "tables/rare_liver.html",
        "findings.html",
        "cost.html",
        "faithful.html",
        "useful.html",
        "rare_class.html",
        "leak.html",
        "settings.html",
    ):
        assert f'href="{link}"' in text
    assert "simulated" in text and "vae &amp; friends" in text and 'class="badge contradicted"' in text
    assert "http" not in text and "Not re-run" not in text and "was not re-run" not in text


def test_the_index_leads_to_the_questions_that_are_asked_and_says_what_asks_the_others(study):
    silent = site.write_index(study).read_text()
    asks = "imputation: {tables: [wdbc]}\nscale: {tables: [wdbc]}\nwidth: {columns: [4, 2000], methods: {mice: }}\n"
    (study.paths.root / "params.yaml").write_text(PARAMS + asks)
    told = site.write_index(studies.load(study.paths.root)).read_text()
    for page in ("impute", "ablations", "scale", "width"):
        assert f'href="{page}.html"' in told and f'href="{page}.html"' not in silent
    for page in ("fair", "few_steps", "frontier", "audit"):
        assert f'href="{page}.html"' not in told + silent
    assert "What does privacy cost (<code>frontier.tables</code>)" in told and "scale.tables" not in told
    assert "What do more rows and more columns cost (<code>scale.tables</code>)" in silent
    assert "simulated tables of 4 to 2,000 columns" in told


def test_the_index_folds_ties_and_names_them(study):
    text = site.write_index(study).read_text()
    assert "<small>AUROC 0.910 [0.900, 0.920]</small><details><summary>or 1 other</summary>smote</details>" in text
    assert "none for sure <small>too few splits to tell</small><details><summary>of 1</summary>smote</details>" in text


def test_many_ties_are_counted_not_listed(study):
    found = json.loads(study.paths.findings.read_text())
    found["tables"]["wdbc"]["utility"]["ties"] = ["smote", "arf", "flow", "tvae"]
    assert "vae (or smote, arf, flow, tvae): AUROC" in site.markdown(found)
    found["tables"]["wdbc"]["utility"]["ties"].append("ctgan")
    assert "vae (or smote, arf, flow and 2 others): AUROC" in site.markdown(found)


def test_the_index_shows_what_could_not_be_run_here(study):
    marker = study.paths.skipped("wdbc")
    marker.parent.mkdir(parents=True)
    marker.write_text(json.dumps({"reason": "no <internet>", "remedy": "put it there"}))
    text = site.write_index(study).read_text()
    assert "wdbc</code> was not re-run on this machine: no &lt;internet&gt;" in text
