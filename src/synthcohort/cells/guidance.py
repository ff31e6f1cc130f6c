"""What do the guidance and the other options of a draw do for a model that learns from balanced rows?

On every split the generator is fitted once, as in `fairness`; then it draws the fully balanced table anew for every
value of every curve of params.yaml, each time from the same noise and for the same asked labels and groups. The judge's
classifier learns from each draw. What a draw gave is kept as soon as it is known (`progress`); settings that come to
the same share one draw, so that curves may meet.

Decisions are judged on the *validation* rows: the settings of `fairness` may be picked from here, and no test row has
a say in them. The condition of a score names curve and value: `target_guidance_0.5`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, cast

import pandas as pd
from tqdm import tqdm

from synthcohort import scores
from synthcohort.cells import progress
from synthcohort.cells.fairness import judged
from synthcohort.cells.fairness_draws import answers
from synthcohort.cells.fairness_judging import lost
from synthcohort.cells.fairness_material import Ask, Material, named, open_splits
from synthcohort.generators import load as registry
from synthcohort.generators.base import FitError, Generator
from synthcohort.rng import Rng
from synthcohort.scores import Score
from synthcohort.study import GuidanceBlock, Study


@dataclass(frozen=True)
class Setting:
    """One draw.

    Args:
        condition: its name in the score file.
        options: sampling options of the generator.
    """

    condition: str
    options: Mapping[str, Any]


@dataclass(frozen=True)
class _Split:
    """What all draws of one split share."""

    study: Study
    generator: str
    material: Material
    ask: Ask

    @cached_property
    def fitted(self) -> Generator | str:
        """The generator, or why it could not be fitted."""
        model = registry.build(self.generator, self.study.params.guidance.generators[self.generator])
        part, rng = self.material, self.material.rng.branch("fit", self.generator)
        try:
            return model.fit(part.train, part.schema, validation=part.validation, rng=rng, device=self.study.device)
        except FitError as error:
            return str(error)

    def scores(self, options: Mapping[str, Any]) -> list[Score]:
        """Return the scores of one draw, under the condition of the ask."""
        model = self.fitted
        if isinstance(model, str):
            return lost(self.material.attributes, self.ask.condition, model)
        return judged(self.material, [self.ask], answers(cast(Generator, Steered(model, options)), self.material))


@dataclass(frozen=True)
class Steered:
    """A fitted generator whose every draw has the same sampling options.

    Args:
        model: the generator.
        options: sampling options of it.
    """

    model: Generator
    options: Mapping[str, Any]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)

    def sample(self, n: int, *, rng: Rng, conditions: pd.DataFrame | None = None) -> pd.DataFrame:
        """Return n rows, as the generator's own `sample` does."""
        return self.model.sample(n, rng=rng, conditions=conditions, **self.options)


def unknown_options(generator: str, block: GuidanceBlock) -> list[str]:
    """Return the options of the curves that the generator does not have."""
    known = registry.find(generator).sampling_options
    asked = [name for curve in block.curves.values() for name in (curve.option, *curve.also)]
    return [name for name in dict.fromkeys(asked) if name not in known]


def settings(block: GuidanceBlock) -> list[Setting]:
    """Return every draw, curve by curve."""
    return [
        Setting(condition(name, value), {**curve.also, curve.option: value})
        for name, curve in block.curves.items()
        for value in curve.values
    ]


def condition(curve: str, value: float) -> str:
    """Return the condition of one value of a curve."""
    return f"{curve}_{value:g}"


def guidance_cell(study: Study, dataset: str, generator: str) -> pd.DataFrame:
    """Judge every draw of one generator on one table, write the score file and return its scores, tidy."""
    wanted, splits = settings(study.params.guidance), study.params.guidance.splits
    parts = []
    with tqdm(total=splits * len(wanted), desc=f"{dataset} {generator}", unit="draw") as bar:
        for split in range(splits):
            shared: list[_Split] = []
            seen: dict[str, dict[str, Any]] = {}
            for setting in wanted:
                own = _effective(study, generator, setting)
                place = study.paths.guidance_draws(dataset, generator) / f"split_{split}" / f"{setting.condition}.json"
                stamp = _stamp(study, dataset, generator, own)
                record = seen.get(own) or progress.kept(place, stamp)
                if record is None:
                    shared = shared or [_open(study, dataset, generator, split)]
                    record = {"scores": [asdict(score) for score in shared[0].scores(setting.options)]}
                seen[own] = record
                progress.keep(place, stamp, record)
                found = [replace(Score(**score), condition=setting.condition) for score in record["scores"]]
                parts.append(scores.to_frame(found, dataset=dataset, generator=generator, split=split))
                bar.update()
    whole = pd.concat(parts, ignore_index=True)
    scores.write(whole, study.paths.guidance(dataset, generator))
    return whole


def _open(study: Study, dataset: str, generator: str, split: int) -> _Split:
    """Return one split, whose validation rows judge."""
    material = open_splits(study, dataset)(split)
    own = [a for a in material.attributes if a.column in study.params.guidance.tables[dataset]]
    ask = Ask(named(tuple(own), 1.0), tuple(own), 1.0)
    return _Split(study, generator, replace(material, test=material.validation), ask)


def _effective(study: Study, generator: str, setting: Setting) -> str:
    """Return what decides a draw: options over hyperparameters."""
    known = registry.build(generator, study.params.guidance.generators[generator]).hyperparameters()
    whole = {**known, **setting.options}
    return json.dumps(
        {name: float(v) if isinstance(v, int | float) else v for name, v in whole.items()}, sort_keys=True
    )


def _stamp(study: Study, dataset: str, generator: str, effective: str) -> str:
    fair, place = study.params.fairness, study.paths.table(dataset)
    own = [study.params.study.seed, study.device, fair.tables[dataset], fair.cuts, fair.splits]
    asked = study.params.guidance.tables[dataset]
    return progress.stamp([dataset, generator, effective, asked, *own], [place / "table.csv", place / "schema.json"])
