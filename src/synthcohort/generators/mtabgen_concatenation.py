"""What does cross-attention bring to MTabGen? A generator without it.

The mean of the given cells' tokens is put beside every free one, and a perceptron reads both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from synthcohort.generators.mtabgen import MTabGen
from synthcohort.networks.transformer import Concatenation


@dataclass(kw_only=True, eq=False)
class MTabGenConcatenation(MTabGen):
    """MTabGen whose decoder reads the encoder by concatenation."""

    condition: ClassVar[type[nn.Module]] = Concatenation
