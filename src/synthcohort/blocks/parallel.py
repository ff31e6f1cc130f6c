"""What may be set of the place where the splits of a cell run?"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from synthcohort.blocks.base import Block


class ParallelBlock(Block):
    """Where the splits of a cell run; without this block one after the other, in the process of the cell.

    Args:
        backend: "loky" for processes on this machine, "dask" for the workers of a Dask cluster.
        jobs: worker processes, each with one thread.
        address: dask only, in place of `jobs`: a running cluster's tcp://host:port, or the file its scheduler wrote.
    """

    backend: Literal["loky", "dask"]
    jobs: int | None = Field(None, ge=2)
    address: str | None = None

    @model_validator(mode="after")
    def _workers(self) -> ParallelBlock:
        if self.backend == "loky" and self.address is not None:
            raise ValueError("address is for backend dask; loky starts jobs on this machine")
        if (self.jobs is None) == (self.address is None):
            raise ValueError("give jobs, how many workers to start, or for dask the address of a running scheduler")
        return self
