"""What are this study's settings, and where does each of its files live?

`params.yaml` becomes frozen records (`blocks`) that refuse unknown keys and list the known ones; `paths` says where the
files live. No other room knows a path or reads the file. What they hold is imported from here.
"""

from __future__ import annotations

import difflib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError, field_validator

from synthcohort.blocks.base import Block
from synthcohort.blocks.claims import ClaimBlock
from synthcohort.blocks.data import DatasetBlock, StudyBlock
from synthcohort.blocks.fairness import FairnessBlock
from synthcohort.blocks.few_steps import FewStepsBlock
from synthcohort.blocks.guidance import CurveBlock, GuidanceBlock
from synthcohort.blocks.imputation import ImputationBlock
from synthcohort.blocks.imputation import Scenario as Scenario
from synthcohort.blocks.metrics import MetricsBlock, ShadowBlock
from synthcohort.blocks.parallel import ParallelBlock
from synthcohort.blocks.privacy import AuditBlock, FamilyBlock, FrontierBlock
from synthcohort.blocks.sizes import ScaleBlock, WidthBlock
from synthcohort.blocks.tuning import Choice, TuningBlock
from synthcohort.paths import Paths
from synthcohort.rng import Rng

PIPELINE_VARIABLE = "SYNTHCOHORT_PIPELINE"  # set for every notebook that a stage runs
SOURCE_TREE = Path(__file__).resolve().parents[2]
NAME = re.compile(r"^[a-z][a-z0-9_]*$")


class ParamsError(ValueError):
    """params.yaml says something the study does not understand; the message names the key and the remedy."""


class Params(Block):
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
    imputation: ImputationBlock = ImputationBlock()
    width: WidthBlock = WidthBlock()
    scale: ScaleBlock = ScaleBlock()
    fairness: FairnessBlock = FairnessBlock()
    guidance: GuidanceBlock = GuidanceBlock()
    frontier: FrontierBlock = FrontierBlock()
    audit: AuditBlock = AuditBlock()
    tuning: TuningBlock = TuningBlock()
    parallel: ParallelBlock | None = None
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

    def generators(self, dataset: str) -> list[str]:
        """Return the generators that run on the table called `dataset`, in the study's order.

        Raises:
            ParamsError: if the table names one that is not under `generators`.
        """
        known, asked = list(self.params.generators), self.params.datasets[dataset].generators
        unknown = [name for name in asked or () if name not in known]
        if unknown:
            raise ParamsError(f"datasets.{dataset}.generators: no generator {unknown[0]!r}; there are {known}")
        return [name for name in known if asked is None or name in asked]

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


_BLOCKS: dict[str, type[Block]] = {
    "study": StudyBlock, "datasets": DatasetBlock, "metrics": MetricsBlock, "shadow": ShadowBlock,
    "few_steps": FewStepsBlock, "imputation": ImputationBlock, "width": WidthBlock, "scale": ScaleBlock,
    "fairness": FairnessBlock,
    "guidance": GuidanceBlock, "guidance.curves": CurveBlock, "frontier": FrontierBlock,
    "frontier.families": FamilyBlock, "audit": AuditBlock, "tuning": TuningBlock, "parallel": ParallelBlock,
    "claims": ClaimBlock,
}  # fmt: skip


def _explain(item: Any) -> str:
    where = [str(part) for part in item["loc"]]
    dotted = ".".join(where)
    if item["type"] != "extra_forbidden":
        return f"{dotted or 'the file'}: {item['msg']} (found {item['input']!r})"
    holders = [".".join(where[:2]), where[0]] if len(where) > 2 else where[:-1]
    block = next((_BLOCKS[name] for name in holders if name in _BLOCKS), Params)
    known = sorted(block.model_fields)
    close = difflib.get_close_matches(where[-1], known, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return f"{dotted}: unknown key {where[-1]!r}{hint} Known keys here: {', '.join(known)}"
