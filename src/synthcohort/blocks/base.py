"""What is every block of params.yaml?"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Block(BaseModel):
    """Settings under one key of params.yaml: frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)
