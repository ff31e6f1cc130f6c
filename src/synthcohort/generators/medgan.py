"""What does the first adversarial generator of health records draw?

medGAN [Choi 2017]: an autoencoder (Enc, Dec) is trained on the rows; then a generator G learns to draw codes whose
decoded rows a discriminator D cannot tell from real ones. With the batch mean beside each row (minibatch averaging,
`networks.medgan`), D and then (G, Dec) descend

    L_D = - mean log D(x) - mean log( 1 - D(Dec(G(z))) ),        L_G = - mean log D(Dec(G(z))),

two steps of D to one of G, each by Adam, every weight with the penalty l2 / 2 w^2 [authors' release]. G normalises by
batches, so after the game its running moments are set by `burn_in` batches of noise. D sees probabilities as they are.

Departs: labels and numeric columns as in `generators.parts.latent_game` and `generators.parts.records`. Batches of 64
rows instead of 1,000, since a cohort may have fewer; steps are bounded. Burn-in is a plain mean over 100 batches, where
the release's average of 1,000 remembers 100. G normalises by its batch in D's steps too; the release takes running
moments there, which lag behind.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional

from synthcohort.generators.parts.adversarial import above_zero, descend, still
from synthcohort.generators.parts.fitting import at_least
from synthcohort.generators.parts.latent_game import LatentGame
from synthcohort.networks.medgan import Discriminator, RecordAutoencoder, ShortcutGenerator, beside_mean, burn_in


@dataclass(kw_only=True, eq=False)
class MedGAN(LatentGame):
    """A game in the latent space of a record autoencoder.

    Args:
        latent: width of codes and of noise, >= 1.
        depth: layers of the generator, >= 1.
        width: first hidden width of the discriminator, the second is half of it, >= 2.
        pretrain_epochs: passes of the autoencoder over the rows, > 0.
        epochs: passes of G over as many rows, > 0.
        max_steps: most steps of each phase, >= 1.
        batch_size: rows a step, >= 2.
        discriminator_steps: steps of D to one of G, >= 1.
        learning_rate: of the three Adams, > 0.
        l2: weight of the penalty, >= 0.
        burn_in: batches that set the running moments after the game, >= 1.
    """

    latent: int = 128
    depth: int = 3
    width: int = 256
    pretrain_epochs: float = 100
    epochs: float = 220
    max_steps: int = 5_000
    batch_size: int = 64
    discriminator_steps: int = 2
    learning_rate: float = 1e-3
    l2: float = 1e-3
    burn_in: int = 100

    def __post_init__(self) -> None:
        super().__init__()
        at_least(self, latent=1, depth=1, width=2, max_steps=1, batch_size=2, discriminator_steps=1, burn_in=1, l2=0)
        above_zero(self, "pretrain_epochs", "epochs", "learning_rate")

    def _networks(self, width: int, labels: int, weights: torch.Generator) -> None:
        self.autoencoder = RecordAutoencoder(width, self.latent, weights)
        self.generator = ShortcutGenerator(latent=self.latent, depth=self.depth, labels=labels, generator=weights)
        self.discriminator = Discriminator(2 * (width + labels), (self.width, self.width // 2), weights)

    def _play(self, count: int) -> None:
        """Let D and (G, Dec) take turns; the history shows L_G."""
        of_d = self._adam((self.discriminator, 1.0))
        of_g = self._adam((self.generator, 1.0), (self.autoencoder.decoder, 1.0))

        def turn() -> float:
            for real, drawn in self._rounds(self.discriminator_steps):
                logits = self.discriminator(torch.cat([beside_mean(real), beside_mean(drawn)]))
                true, false = logits.chunk(2)
                descend(of_d, functional.softplus(-true).mean() + functional.softplus(false).mean())
            with still(self.discriminator):
                return descend(of_g, functional.softplus(-self.discriminator(beside_mean(self._drawn_anew()))).mean())

        self._take_turns(turn, count)
        burn_in(self.sampled, lambda: self._drawn(self._batch().y, self.batch_size).x, self.burn_in)
