"""Which kinds of stage does the pipeline have, and what does each of them make?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from synthcohort.study import Paths


@dataclass(frozen=True)
class Stage:
    """One kind of stage.

    Args:
        notebook: its notebook, by name.
        per: the names of the parameters that tell its cells apart: (), ("dataset",), or that and one of "generator" and
            "imputer"; or ("method",).
        page: the page it renders, from (paths, cell); None: beside the executed notebook.
        folders: folders it fills besides its page.
        tables: tidy score files it writes.
        records: JSON files it writes.
        by_name: the room whose module a cell looks up, a key of `ROOMS`; "" for none.
        long: whether it is too long to run again for a figure or a sentence of its working page.
    """

    notebook: str
    per: tuple[str, ...]
    page: Callable[..., Path] | None = None
    folders: tuple[Callable[..., Path], ...] = ()
    tables: tuple[Callable[..., Path], ...] = ()
    records: tuple[Callable[..., Path], ...] = ()
    by_name: str = ""
    long: bool = False


LOOKS = ("figures", "report")
ROOMS = {
    "datasets": ("datasets",),
    "generators": ("generators",),
    "imputers": ("imputers", "generators"),
    "methods": ("imputers", "generators"),
}
STAGES: dict[str, Stage] = {
    "raw": Stage(
        "00_raw_table",
        ("dataset",),
        page=lambda paths, dataset: paths.page(f"raw/{dataset}"),
        folders=(Paths.table,),
        by_name="datasets",
    ),
    "prepare": Stage(
        "10_prepare",
        ("dataset",),
        folders=(Paths.development, Paths.test, Paths.holes),
        by_name="datasets",
    ),
    "tune": Stage("15_tune", ("generator",)),
    "train": Stage(
        "20_train",
        ("dataset", "generator"),
        folders=(Paths.trained,),
        tables=(Paths.cost,),
        records=(Paths.machine,),
        by_name="generators",
        long=True,
    ),
    "reference": Stage(
        "25_reference", ("dataset",), tables=(lambda paths, dataset: paths.scores(dataset, "real"),), long=True
    ),
    "evaluate": Stage("30_evaluate", ("dataset", "generator"), tables=(Paths.scores,), long=True),
    "shadow": Stage("35_shadow", ("dataset", "generator"), tables=(Paths.shadow,), by_name="generators", long=True),
    "few_steps": Stage(
        "36_few_steps",
        ("dataset", "generator"),
        tables=(Paths.few_steps, Paths.few_steps_cost),
        records=(Paths.few_steps_machine,),
        by_name="generators",
        long=True,
    ),
    "impute": Stage(
        "37_impute",
        ("dataset", "imputer"),
        tables=(Paths.impute, Paths.impute_cost),
        records=(Paths.impute_machine,),
        by_name="imputers",
        long=True,
    ),
    "few_steps_impute": Stage(
        "34_few_steps_impute",
        ("dataset", "imputer"),
        tables=(Paths.few_steps_impute, Paths.few_steps_impute_cost),
        records=(Paths.few_steps_impute_machine,),
        by_name="imputers",
        long=True,
    ),
    "dependence": Stage("38_dependence", ("dataset",), tables=(Paths.dependence,)),
    "width": Stage(
        "39_width",
        ("method",),
        tables=(Paths.width, Paths.width_cost),
        records=(Paths.width_machine,),
        by_name="methods",
        long=True,
    ),
    "scale": Stage(
        "33_scale",
        ("dataset", "generator"),
        tables=(Paths.scale,),
        records=(Paths.scale_machine,),
        by_name="generators",
        long=True,
    ),
    "fairness": Stage(
        "32_fairness", ("dataset", "generator"), tables=(Paths.fairness,), by_name="generators", long=True
    ),
    "fairness_rivals": Stage(
        "32_fairness_rivals",
        ("dataset",),
        tables=(lambda paths, dataset: paths.fairness(dataset, "rivals"),),
        long=True,
    ),
    "guidance": Stage(
        "31_guidance", ("dataset", "generator"), tables=(Paths.guidance,), by_name="generators", long=True
    ),
    "frontier": Stage(
        "45_frontier", ("dataset", "generator"), tables=(Paths.frontier,), by_name="generators", long=True
    ),
    "audit": Stage("46_audit", ("dataset", "generator"), tables=(Paths.audit,), by_name="generators", long=True),
    "side_by_side": Stage("40_side_by_side", ("dataset",), page=lambda paths, dataset: paths.page(f"tables/{dataset}")),
    "faithful": Stage("50_faithful", (), page=lambda paths: paths.page("faithful")),
    "useful": Stage("51_useful", (), page=lambda paths: paths.page("useful")),
    "rare_class": Stage("52_rare_class", (), page=lambda paths: paths.page("rare_class")),
    "leak": Stage("53_leak", (), page=lambda paths: paths.page("leak")),
    "few_steps_page": Stage("54_few_steps", (), page=lambda paths: paths.page("few_steps")),
    "impute_page": Stage("55_impute", (), page=lambda paths: paths.page("impute")),
    "ablations_page": Stage("56_ablations", (), page=lambda paths: paths.page("ablations")),
    "width_page": Stage("57_width", (), page=lambda paths: paths.page("width")),
    "fairness_page": Stage("60_fair", (), page=lambda paths: paths.page("fair")),
    "settings": Stage("58_settings", (), page=lambda paths: paths.page("settings")),
    "scale_page": Stage("59_scale", (), page=lambda paths: paths.page("scale")),
    "frontier_page": Stage("61_frontier", (), page=lambda paths: paths.page("frontier")),
    "audit_page": Stage("62_audit", (), page=lambda paths: paths.page("audit")),
    "cost": Stage("80_cost", (), page=lambda paths: paths.page("cost")),
    "findings": Stage("90_findings", (), page=lambda paths: paths.page("findings")),
}
