"""What are this study's settings, and where does each of its files live?

`params.yaml` becomes frozen records that refuse unknown keys and list the known ones. No other room knows a path or
reads the file.
"""

from __future__ import annotations

import difflib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from synthcohort.rng import Rng

PIPELINE_VARIABLE = "SYNTHCOHORT_PIPELINE"  # set for every notebook that a stage runs
SOURCE_TREE = Path(__file__).resolve().parents[2]
NAME = re.compile(r"^[a-z][a-z0-9_]*$")


class ParamsError(ValueError):
    """params.yaml says something the study does not understand; the message names the key and the remedy."""


class _Block(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StudyBlock(_Block):
    """The settings that hold for the whole study."""

    seed: int
    splits: int = Field(3, ge=1, le=100)
    test_share: float = Field(0.2, gt=0, lt=0.9)
    validation_share: float = Field(0.1, gt=0, lt=0.9)
    confidence: float = Field(0.95, gt=0.5, lt=1)
    device: Literal["cpu", "cuda", "auto"] = "cpu"
    strict: bool = False


class DatasetBlock(_Block):
    """One table; every field but `rows` and `splits` is for the reader's own CSV.

    Args:
        path: the CSV file; None for a table with a module of its own. For one whose files are given to credentialed
            persons only: the folder that holds them.
        separator: column separator.
        encoding: the file's encoding, by a name that Python knows.
        decimal: the decimal sign of its numbers.
        names: number of a column, from 1 -> its name, where the header has none or the same twice.
        target: name of the column to predict.
        positive: level of the target that is the class of interest.
        kinds: column -> "numeric" or "categorical"; the others are inferred.
        sensitive: columns that define groups for fairness.
        drop: columns to leave out (identifiers, dates, leaks).
        group: column that says whose row it is, where one patient has several; left out, but it decides the splits.
        missing: texts that mean "missing", beside the empty cell.
        missing_codes: column -> further texts that mean "missing" there, such as -9.
        bounds: column -> lowest and highest number it may hold, null for no bound; a cell outside is an error.
        levels: column -> its levels in order; a cell that is none of them is an error.
        drop_rows_without_target: leave out rows whose target is missing, which is an error otherwise.
        restricted: true keeps rows, counts below 11 and extreme values of the table out of pages, logs, figures and
            messages; default: what the table's module says, false for the reader's own CSV.
        rows: use only this many rows, drawn once (smoke runs).
        splits: splits of this table, where it differs from study.splits (large tables need fewer).
    """

    path: str | None = None
    separator: str = ","
    encoding: str = "utf-8"
    decimal: Literal[".", ","] = "."
    names: dict[int, str] = {}
    target: str | None = None
    positive: str | None = None
    kinds: dict[str, Literal["numeric", "categorical"]] = {}
    sensitive: list[str] = []
    drop: list[str] = []
    group: str | None = None
    missing: list[str] = []
    missing_codes: dict[str, list[str]] = {}
    bounds: dict[str, tuple[float | None, float | None]] = {}
    levels: dict[str, list[str]] = {}
    drop_rows_without_target: bool = False
    restricted: bool | None = None
    rows: int | None = Field(None, ge=20)
    splits: int | None = Field(None, ge=1, le=100)

    @field_validator("positive", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


Family = Literal[
    "random_forest", "xgboost", "logistic_regression", "k_nearest_neighbours", "support_vector_machine",
    "multilayer_perceptron", "decision_tree",
]  # fmt: skip


class MetricsBlock(_Block):
    """Settings of the metrics.

    Args:
        classifiers: families trained on synthetic rows and judged on real ones.
        augmentation_classifiers: families that learn the rare class from augmented rows.
        augmentation_shares: synthetic minority rows added, as shares of what full balance takes.
        max_rows_pairwise: rows of a table in kernel statistics and neighbourhoods.
        max_rows_distance: synthetic rows of the nearest-record metrics, rows of the linear models.
        max_rows_transport: rows of a table in the transport distance; its time grows with the cube.
        max_rows_membership: members, and as many controls, that membership attacks are scored on.
        attacks: guesses of each of the attacks that single out, link and infer.
    """

    classifiers: list[Family] = ["random_forest", "xgboost"]
    augmentation_classifiers: list[Family] = ["random_forest", "xgboost"]
    augmentation_shares: list[float] = [0.25, 0.5, 1.0]
    max_rows_pairwise: int = Field(default=2000, ge=50)
    max_rows_distance: int = Field(default=5000, ge=50)
    max_rows_transport: int = Field(default=1000, ge=50)
    max_rows_membership: int = Field(default=1000, ge=20)
    attacks: int = Field(default=500, ge=20)


class ShadowBlock(_Block):
    """The shadow-model membership attack.

    Args:
        tables: tables it is run on, none to do without it; each costs `models` fits a generator.
        models: fits a cell, half of them with each target; even, since runs come in complementary pairs.
        targets: rows attacked, the most exposed of the first split's train rows.
    """

    tables: list[str] = []
    models: int = Field(default=16, ge=6, multiple_of=2)
    targets: int = Field(default=20, ge=2)


class FewStepsBlock(_Block):
    """How few evaluations of a network draw a good row.

    Args:
        tables, generators: the cells whose trained networks are drawn from again; none to do without it.
        evaluations: numbers of evaluations that draw a row, ascending.
        asked: the number that the page asks about, one of `evaluations`.
        ancestral: evaluations of the reference, ancestral steps; more than any of `evaluations`.
        rows: rows drawn of each kind on a split: as many draws of the size of the train rows as fit, or one smaller.
    """

    tables: list[str] = []
    generators: list[str] = []
    evaluations: list[int] = [5, 10, 15, 25, 50, 100]
    asked: int = 25
    ancestral: int = 1000
    rows: int = Field(default=5000, ge=50)

    @model_validator(mode="after")
    def _numbers(self) -> FewStepsBlock:
        if not self.evaluations or self.evaluations != sorted({*self.evaluations}) or self.evaluations[0] < 1:
            raise ValueError(f"evaluations {self.evaluations} must be different numbers from 1 on, the smallest first")
        if self.asked not in self.evaluations:
            raise ValueError(f"asked is {self.asked}; it must be one of evaluations {self.evaluations}")
        if self.ancestral <= self.evaluations[-1]:
            raise ValueError(f"ancestral is {self.ancestral}; it must be more than any of evaluations")
        return self


class FairnessBlock(_Block):
    """How fair a model is that learned from balanced rows.

    Args:
        tables: table -> its sensitive columns; none, `[]`, to do without it.
        generators: whose balanced rows are judged -> its hyperparameters.
        cuts: numeric column -> cut points that make groups of it, in every table that names it.
        dials: from 0, the joint as observed, to 1, the balanced one, ascending.
        splits: of every table, half of its rows to train on, a quarter to validate and a quarter to judge.
    """

    tables: dict[str, list[str]] = {}
    generators: dict[str, dict[str, Any]] = {}
    cuts: dict[str, list[float]] = {}
    dials: list[float] = [0.0, 0.5, 1.0]
    splits: int = Field(default=3, ge=1, le=100)

    @field_validator("tables", mode="before")
    @classmethod
    def _none(cls, value: Any) -> Any:
        return {} if value == [] else value

    @field_validator("generators", mode="before")
    @classmethod
    def _settings(cls, value: Any) -> Any:
        return {k: {} if v is None else v for k, v in value.items()} if isinstance(value, dict) else value

    @model_validator(mode="after")
    def _understood(self) -> FairnessBlock:
        for table, columns in self.tables.items():
            if not columns or len(columns) > len({*columns}):
                raise ValueError(f"tables.{table} is {columns}; name its sensitive columns, each once")
        if len(self.dials) < 2 or self.dials != sorted({*self.dials}) or (self.dials[0], self.dials[-1]) != (0, 1):
            raise ValueError(f"dials {self.dials} must be different numbers, the smallest first, from 0 to 1")
        return self


class TuningBlock(_Block):
    """The search for the settings of the generators, the same for each of them.

    Args:
        trials: different settings tried for each generator.
        tables: tables the trials are run on.
        rows: rows of a table used at most, of those that are in no split's test part.
        fit_cpu_seconds: what one fit with its draw may cost; a setting that costs more is not adopted.
        kept: generator -> why it keeps its setting although its search found another.
    """

    trials: int = Field(default=12, ge=2)
    tables: list[str] = []
    rows: int = Field(default=1200, ge=60)
    fit_cpu_seconds: float = Field(default=60.0, gt=0)
    kept: dict[str, str] = {}


Choice = bool | int | float | str


class ClaimBlock(_Block):
    """One claim of a paper in a form a run can test.

    Args:
        source: where the paper says it.
        text: the claim in one sentence.
        metric: the score that decides it.
        better: generator said to be better.
        worse: generator said to be worse.
        condition: the ask or the arm the scores belong to.
        better_condition, worse_condition: where the two arms differ in condition.
        margin: smallest difference that counts, in the metric's unit.
        tables: tables it is tested on; empty: all.
        reported: the paper's figure, as text.
    """

    source: str
    text: str
    metric: str
    better: str
    worse: str
    condition: str = "as_observed"
    better_condition: str | None = None
    worse_condition: str | None = None
    margin: float = 0.0
    tables: list[str] = []
    reported: str = ""


class Params(_Block):
    """The whole of params.yaml.

    `search` holds, for each generator that is tuned, the choices of each hyperparameter that is; the first choices
    together are where the search begins.
    """

    study: StudyBlock
    datasets: dict[str, DatasetBlock] = Field(min_length=1)
    generators: dict[str, dict[str, Any]] = Field(min_length=1)
    conditions: list[str] = ["as_observed", "minority"]
    metrics: MetricsBlock = MetricsBlock()
    shadow: ShadowBlock = ShadowBlock()
    few_steps: FewStepsBlock = FewStepsBlock()
    fairness: FairnessBlock = FairnessBlock()
    tuning: TuningBlock = TuningBlock()
    search: dict[str, dict[str, list[Choice]]] = {}
    claims: dict[str, ClaimBlock] = {}

    @field_validator("search")
    @classmethod
    def _choices(cls, value: dict[str, dict[str, list[Choice]]]) -> dict[str, dict[str, list[Choice]]]:
        for generator, space in value.items():
            if not space:
                raise ValueError(f"{generator} names no hyperparameter; name one with its choices, or delete the line")
            for name, choices in space.items():
                if len(set(choices)) < max(2, len(choices)):
                    raise ValueError(
                        f"{generator}.{name} needs two or more different choices, the first where the search begins"
                    )
        return value

    @field_validator("datasets", "generators", "search", "claims", mode="before")
    @classmethod
    def _names(cls, value: Any) -> Any:
        if isinstance(value, dict):
            for key in value:
                if not isinstance(key, str) or not NAME.match(key):
                    raise ValueError(f"name {key!r} must be lower case letters, digits and _, starting with a letter")
            return {key: ({} if block is None else block) for key, block in value.items()}
        return value


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

    def fairness(self, dataset: str, name: str) -> Path:
        """Score file of one generator's balanced rows, or of the rivals that need none."""
        return self.root / "reports" / "scores" / dataset / "fairness" / f"{name}.csv"

    def fairness_runs(self, dataset: str, name: str) -> Path:
        """Folder of what each split of those gave: progress of a long stage, no output of the pipeline."""
        return self.root / "build" / "fairness" / dataset / name

    def tuning(self, generator: str) -> Path:
        """The trials of the search for a generator's settings."""
        return self.root / "reports" / "tuning" / f"{generator}.csv"

    def tuning_cost(self, generator: str) -> Path:
        """What those trials cost."""
        return self.root / "reports" / "tuning" / f"{generator}.cost.csv"

    def tuning_journal(self, generator: str) -> Path:
        """Every finished trial, in Optuna's form: progress of a long stage, no output of the pipeline."""
        return self.root / "build" / "tuning" / f"{generator}.log"

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


@dataclass(frozen=True)
class Study:
    """Settings, paths and randomness together: what a notebook opens first."""

    params: Params
    paths: Paths

    @property
    def rng(self) -> Rng:
        """The root of the study's randomness."""
        return Rng(self.params.study.seed)

    @property
    def in_pipeline(self) -> bool:
        """Whether a stage of the pipeline is running, not a person in JupyterLab."""
        return PIPELINE_VARIABLE in os.environ

    def splits(self, dataset: str) -> int:
        """Return how many splits the table called `dataset` has."""
        return self.params.datasets[dataset].splits or self.params.study.splits

    @property
    def device(self) -> str:
        """The torch device in use."""
        wanted = self.params.study.device
        if wanted == "cpu":
            return "cpu"
        import torch

        if torch.cuda.is_available():
            return "cuda"
        if wanted == "cuda":
            raise ParamsError("study.device is cuda but torch sees no GPU here; set it to auto or cpu")
        return "cpu"


def find_root(start: Path | None = None) -> Path:
    """Return the study's folder: the nearest one at or above `start` (default: here) that holds params.yaml.

    A notebook opened from anywhere else finds the folder this library is installed from.
    """
    override = os.environ.get("SYNTHCOHORT_ROOT")
    here = Path(override) if override else (start or Path.cwd())
    for folder in (here.resolve(), *here.resolve().parents, *(() if start else (SOURCE_TREE,))):
        if (folder / "params.yaml").is_file() and (folder / "dvc.yaml").is_file():
            return folder
    raise ParamsError(f"no params.yaml with a dvc.yaml beside it at or above {here}; run inside the study's folder")


def load(start: Path | None = None) -> Study:
    """Read the study around `start` (default: the working directory)."""
    root = find_root(start)
    return Study(read_params(root / "params.yaml"), Paths(root))


def read_params(path: Path) -> Params:
    """Read and check params.yaml.

    Raises:
        ParamsError: naming every key that is unknown, misspelt, missing or out of range.
    """
    try:
        raw = yaml.load(path.read_text(encoding="utf-8"), Loader=_StrictLoader)
    except yaml.YAMLError as error:
        raise ParamsError(f"{path.name} is not valid YAML: {error}") from None
    try:
        return Params.model_validate(raw)
    except ValidationError as error:
        lines = [_explain(item) for item in error.errors()]
        raise ParamsError(f"{path.name}:\n  " + "\n  ".join(lines)) from None


class _StrictLoader(yaml.SafeLoader):
    """Refuses a key written twice, which YAML would silently resolve to the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        repeated = sorted({str(k) for k in keys if keys.count(k) > 1})
        if repeated:
            raise ParamsError(f"line {node.start_mark.line + 1}: the key {repeated[0]!r} is written twice")
        return super().construct_mapping(node, deep)


_BLOCKS: dict[str, type[_Block]] = {
    "study": StudyBlock, "datasets": DatasetBlock, "metrics": MetricsBlock, "shadow": ShadowBlock,
    "few_steps": FewStepsBlock, "fairness": FairnessBlock,
    "tuning": TuningBlock, "claims": ClaimBlock,
}  # fmt: skip


def _explain(item: Any) -> str:
    where = [str(part) for part in item["loc"]]
    dotted = ".".join(where)
    if item["type"] != "extra_forbidden":
        return f"{dotted or 'the file'}: {item['msg']} (found {item['input']!r})"
    block = _BLOCKS.get(where[0], Params) if len(where) > 1 else Params
    known = sorted(block.model_fields)
    close = difflib.get_close_matches(where[-1], known, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return f"{dotted}: unknown key {where[-1]!r}{hint} Known keys here: {', '.join(known)}"
