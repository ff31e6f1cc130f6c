"""Which splits of a table does the study make?"""

from __future__ import annotations

from synthcohort.cells.grouping import read_groups
from synthcohort.cells.rows import read_table
from synthcohort.splits import Split, make_splits
from synthcohort.study import Study


def study_splits(study: Study, dataset: str) -> list[Split]:
    """Return every split of a table as params.yaml asks for them.

    Raises:
        SplitError: if the table cannot be split so.
    """
    table, settings = read_table(study.paths.table(dataset)), study.params.study
    return make_splits(
        table.frame,
        table.schema,
        count=study.splits(dataset),
        test_share=settings.test_share,
        validation_share=settings.validation_share,
        rng=study.rng.branch("splits", dataset),
        groups=read_groups(study.paths.table(dataset)),
        reserve=study.params.datasets[dataset].reserve,
    )
