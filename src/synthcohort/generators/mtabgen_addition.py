"""What does cross-attention bring to MTabGen? A generator without it.

The mean of the given cells' tokens is added to every free one, as embeddings of conditions commonly are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from synthcohort.generators.mtabgen import MTabGen
from synthcohort.networks.transformer import Addition


@dataclass(kw_only=True, eq=False)
class MTabGenAddition(MTabGen):
    """MTabGen whose decoder reads the encoder by addition."""

    condition: ClassVar[type[nn.Module]] = Addition
