"""What does medGAN draw with convolutions over its columns and Wasserstein's distance?

corGAN [Torfi 2020]: a convolutional autoencoder (`networks.corgan`) is trained on the rows; then a generator G, that of
medGAN with two layers, learns to draw its codes. The critic D, a perceptron on decoded rows, and (G, Dec) play the game
of Wasserstein's distance [Arjovsky 2017, eq. 2 and alg. 1],

    L_D = mean D(Dec(G(z))) - mean D(x),        L_G = - mean D(Dec(G(z))),

every weight of D moved into +-clip after its step: `critic_steps` of D to one of G, and `early_critic_steps` in the
first 25 steps of G and every 500th, so that D is near its best before G follows it. Adam with an L2 penalty; in the
game the decoder moves with a tenth of the rate. No minibatch averaging. D's sign is the paper's of Wasserstein GAN; in
the release it is the other one, which is the same game.

Departs: labels and numeric columns as in `generators.parts.latent_game` and `generators.parts.records`; tables narrower
than 1,071 columns as in `networks.corgan`. Batches of 64 rows instead of 512, since a cohort may have fewer. Each step
of D draws rows of its own, as in [Arjovsky 2017, alg. 1]; the release shows it one batch up to 100 times. 20 early
critic steps instead of 100, for their cost, and a longer pre-training than one epoch, which is few steps on a cohort.
Steps are bounded.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from synthcohort.generators.parts.adversarial import above_zero, descend, still
from synthcohort.generators.parts.fitting import at_least
from synthcohort.generators.parts.latent_game import LatentGame
from synthcohort.networks.corgan import ConvAutoencoder, clip_weights
from synthcohort.networks.medgan import Discriminator, ShortcutGenerator

EARLY, EVERY = 25, 500  # steps of G before which D takes more steps: the first ones and each of these
DECODER_RATE = 0.1  # share of the learning rate, in the game


@dataclass(kw_only=True, eq=False)
class CorGAN(LatentGame):
    """A Wasserstein game in the latent space of a convolutional record autoencoder.

    Args:
        latent: channels of a code and width of noise, >= 1.
        depth: layers of the generator, >= 1.
        width: of the critic's three hidden layers, >= 1.
        pretrain_epochs: passes of the autoencoder over the rows, > 0.
        epochs: passes of G over as many rows, > 0.
        max_steps: most steps of each phase, >= 1.
        batch_size: rows a step, >= 2.
        critic_steps: steps of D to one of G, >= 1.
        early_critic_steps: the same before the first 25 steps of G and every 500th, >= 1.
        clip: bound of the critic's weights, > 0.
        learning_rate: of the three Adams, > 0.
        l2: weight of the penalty, >= 0.
    """

    latent: int = 128
    depth: int = 2
    width: int = 256
    pretrain_epochs: float = 150
    epochs: float = 60
    max_steps: int = 1_500
    batch_size: int = 64
    critic_steps: int = 5
    early_critic_steps: int = 20
    clip: float = 0.01
    learning_rate: float = 1e-3
    l2: float = 1e-4

    def __post_init__(self) -> None:
        super().__init__()
        at_least(
            self, latent=1, depth=1, width=1, max_steps=1, batch_size=2, critic_steps=1, early_critic_steps=1, l2=0
        )
        above_zero(self, "pretrain_epochs", "epochs", "clip", "learning_rate")

    def _networks(self, width: int, labels: int, weights: torch.Generator) -> None:
        self.autoencoder = ConvAutoencoder(width, self.latent, weights)
        self.generator = ShortcutGenerator(latent=self.latent, depth=self.depth, labels=labels, generator=weights)
        self.discriminator = Discriminator(width + labels, (self.width,) * 3, weights, bias=0.01)

    def _play(self, count: int) -> None:
        """Let D and (G, Dec) take turns; the history shows L_D, minus a multiple of the distance that D sees."""
        of_d = self._adam((self.discriminator, 1.0))
        of_g = self._adam((self.generator, 1.0), (self.autoencoder.decoder, DECODER_RATE))
        clip_weights(self.discriminator, self.clip)
        taken = 0

        def turn() -> float:
            nonlocal taken
            often = taken < EARLY or not taken % EVERY
            for real, drawn in self._rounds(self.early_critic_steps if often else self.critic_steps):
                false, true = self.discriminator(torch.cat([drawn, real])).chunk(2)
                shown = descend(of_d, false.mean() - true.mean())
                clip_weights(self.discriminator, self.clip)
            with still(self.discriminator):
                descend(of_g, -self.discriminator(self._drawn_anew()).mean())
            taken += 1
            return shown

        self._take_turns(turn, count)
