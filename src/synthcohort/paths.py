"""Where does each file of the study live? No other room knows a path."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Paths:
    """Where the study's files live, all below `root`."""

    root: Path

    def raw(self, dataset: str) -> Path:
        """Folder of a table's raw files (owned by data.dvc)."""
        return self.root / "data" / dataset

    def table(self, dataset: str) -> Path:
        """Folder of the table after reading: table.csv, schema.json, card.json."""
        return self.root / "build" / "tables" / dataset

    def development(self, dataset: str) -> Path:
        """Folder of the train and validation rows of every split (and the schema)."""
        return self.root / "build" / "development" / dataset

    def test(self, dataset: str) -> Path:
        """Folder of the test rows of every split; no training stage names it."""
        return self.root / "build" / "test" / dataset

    def holes(self, dataset: str) -> Path:
        """Folder that says of every split which cells were missing before they were filled."""
        return self.root / "build" / "holes" / dataset

    def trained(self, dataset: str, generator: str) -> Path:
        """Folder of one cell: a folder per split with weights, history and the samples of every condition."""
        return self.root / "build" / "trained" / dataset / generator

    def scores(self, dataset: str, generator: str) -> Path:
        """Score file of one cell; generator "real" holds the real table's own scores."""
        return self.root / "reports" / "scores" / dataset / f"{generator}.csv"

    def shadow(self, dataset: str, generator: str) -> Path:
        """Score file of the shadow-model attack on one cell."""
        return self.root / "reports" / "scores" / dataset / "shadow" / f"{generator}.csv"

    def shadow_runs(self, dataset: str, generator: str) -> Path:
        """Folder of what each shadow run of one cell gave: progress of a long stage, no output of the pipeline."""
        return self.root / "build" / "shadow" / dataset / generator

    def few_steps(self, dataset: str, generator: str) -> Path:
        """Score file of one cell's draws with few and with many evaluations."""
        return self.root / "reports" / "scores" / dataset / "few_steps" / f"{generator}.csv"

    def few_steps_cost(self, dataset: str, generator: str) -> Path:
        """What each of those draws cost."""
        return self.root / "reports" / "cost" / dataset / "few_steps" / f"{generator}.csv"

    def few_steps_machine(self, dataset: str, generator: str) -> Path:
        """On which processor, with which libraries, that was measured."""
        return self.few_steps_cost(dataset, generator).with_suffix(".json")

    def few_steps_draws(self, dataset: str, generator: str) -> Path:
        """Folder of what each draw of one cell gave: progress of a long stage, no output of the pipeline."""
        return self.root / "build" / "few_steps" / dataset / generator

    def few_steps_impute(self, dataset: str, imputer: str) -> Path:
        """Score file of one cell's hidden cells, filled with few and with many evaluations."""
        return self.root / "reports" / "scores" / dataset / "few_steps_impute" / f"{imputer}.csv"

    def few_steps_impute_cost(self, dataset: str, imputer: str) -> Path:
        """What each of those fillings cost."""
        return self.root / "reports" / "cost" / dataset / "few_steps_impute" / f"{imputer}.csv"

    def few_steps_impute_machine(self, dataset: str, imputer: str) -> Path:
        """On which processor, with which libraries, that was measured."""
        return self.few_steps_impute_cost(dataset, imputer).with_suffix(".json")

    def few_steps_impute_splits(self, dataset: str, imputer: str) -> Path:
        """Folder of what each split of one cell gave: progress of a long stage, no output of the pipeline."""
        return self.root / "build" / "few_steps_impute" / dataset / imputer

    def impute(self, dataset: str, imputer: str) -> Path:
        """Score file of one cell of the imputation study."""
        return self.root / "reports" / "scores" / dataset / "impute" / f"{imputer}.csv"

    def impute_cost(self, dataset: str, imputer: str) -> Path:
        """What its fits and draws cost."""
        return self.root / "reports" / "cost" / dataset / "impute" / f"{imputer}.csv"

    def impute_machine(self, dataset: str, imputer: str) -> Path:
        """On which processor, with which libraries, that was measured."""
        return self.impute_cost(dataset, imputer).with_suffix(".json")

    def impute_splits(self, dataset: str, imputer: str) -> Path:
        """Folder of what each split of one cell gave: progress of a long stage, no output of the pipeline."""
        return self.root / "build" / "impute" / dataset / imputer

    def dependence(self, dataset: str) -> Path:
        """Score file that says how strongly a table's columns depend on each other."""
        return self.root / "reports" / "scores" / dataset / "dependence.csv"

    def width(self, method: str) -> Path:
        """Scores of one method on tables of growing width."""
        return self.root / "reports" / "scores" / "width" / f"{method}.csv"

    def width_cost(self, method: str) -> Path:
        """What each of those tables cost."""
        return self.root / "reports" / "cost" / "width" / f"{method}.csv"

    def width_machine(self, method: str) -> Path:
        """On which processor, with which libraries, that was measured."""
        return self.width_cost(method).with_suffix(".json")

    def width_steps(self, method: str) -> Path:
        """Folder of what each table of one method gave: progress of a long stage, no output of the pipeline."""
        return self.root / "build" / "width" / method

    def scale(self, dataset: str, generator: str) -> Path:
        """What one generator cost on ever more rows of a table, and on ever more columns."""
        return self.root / "reports" / "cost" / dataset / "scale" / f"{generator}.csv"

    def scale_machine(self, dataset: str, generator: str) -> Path:
        """On which processor, with which libraries, that was measured."""
        return self.scale(dataset, generator).with_suffix(".json")

    def scale_fits(self, dataset: str, generator: str) -> Path:
        """Folder of what each of those fits gave: progress of a long stage, no output of the pipeline."""
        return self.root / "build" / "scale" / dataset / generator

    def fairness(self, dataset: str, name: str) -> Path:
        """Score file of one generator's balanced rows, or of the rivals that need none."""
        return self.root / "reports" / "scores" / dataset / "fairness" / f"{name}.csv"

    def fairness_runs(self, dataset: str, name: str) -> Path:
        """Folder of what each split of those gave: progress of a long stage, no output of the pipeline."""
        return self.root / "build" / "fairness" / dataset / name

    def guidance(self, dataset: str, generator: str) -> Path:
        """Score file of one generator's balanced rows, drawn with ever other sampling options."""
        return self.root / "reports" / "scores" / dataset / "guidance" / f"{generator}.csv"

    def guidance_draws(self, dataset: str, generator: str) -> Path:
        """Folder of what each of those draws gave: progress of a long stage, no output of the pipeline."""
        return self.root / "build" / "guidance" / dataset / generator

    def frontier(self, dataset: str, generator: str) -> Path:
        """Score file of one cell of the privacy frontier, every epsilon in it."""
        return self.root / "reports" / "scores" / dataset / "frontier" / f"{generator}.csv"

    def frontier_fits(self, dataset: str, generator: str) -> Path:
        """Folder of what each fit of one cell gave: progress of a long stage, no output of the pipeline."""
        return self.root / "build" / "frontier" / dataset / generator

    def audit(self, dataset: str, generator: str) -> Path:
        """Score file of the audit of one generator's budgets on one table."""
        return self.root / "reports" / "scores" / dataset / "audit" / f"{generator}.csv"

    def audit_fits(self, dataset: str, generator: str) -> Path:
        """Folder of what each audited fit of one cell gave: progress of a long stage, no output of the pipeline."""
        return self.root / "build" / "audit" / dataset / generator

    def tuning(self, generator: str) -> Path:
        """The trials of the search for a generator's settings."""
        return self.root / "reports" / "tuning" / f"{generator}.csv"

    def tuning_cost(self, generator: str) -> Path:
        """What those trials cost."""
        return self.root / "reports" / "tuning" / f"{generator}.cost.csv"

    def tuning_journal(self, generator: str) -> Path:
        """Every finished trial, in Optuna's form: progress of a long stage, no output of the pipeline."""
        return self.root / "build" / "tuning" / f"{generator}.log"

    def finished_splits(self, stage: str, dataset: str, generator: str) -> Path:
        """Folder of the finished splits of a cell that is not whole: progress of a long stage, no output of it."""
        return self.root / "build" / "splits" / stage / dataset / generator

    def cost(self, dataset: str, generator: str) -> Path:
        """Cost file of one cell."""
        return self.root / "reports" / "cost" / dataset / f"{generator}.csv"

    def machine(self, dataset: str, generator: str) -> Path:
        """On which processor, with which libraries, the cost of one cell was measured."""
        return self.cost(dataset, generator).with_suffix(".json")

    def page(self, name: str) -> Path:
        """A rendered page that people read."""
        return self.root / "reports" / f"{name}.html"

    def executed(self, stage: str, *cell: str) -> Path:
        """Executed notebook of a cell; its HTML stands beside it."""
        return self.root / "build" / "pages" / stage / ("-".join(cell) + ".ipynb" if cell else "page.ipynb")

    def release(self, dataset: str, generator: str) -> Path:
        """Folder of what was handed out of one cell: synthetic tables and their data sheets."""
        return self.root / "releases" / dataset / generator

    @property
    def sources(self) -> Path:
        """Lists of the source files that each kind of cell depends on."""
        return self.root / "build" / "sources"

    @property
    def findings(self) -> Path:
        """The findings, as JSON."""
        return self.root / "reports" / "findings.json"

    def skipped(self, dataset: str) -> Path:
        """Marker that a raw table could not be had here; holds the reason and the remedy."""
        return self.raw(dataset) / "SKIPPED.json"
