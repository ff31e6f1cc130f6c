"""A rare liver disease in a registry whose law is known: how good could any classifier, or any generator, be?

SIMULATED. No row describes a person. The rare-disease registry of the imbalance literature is not public; this table
has its size (2,000 patients, about 5 % cases) and, unlike any real table, a law one can compute with. Marginals are
clinically plausible; the dependences are chosen to be non-linear and to interact.

Covariates, drawn in this order from independent standard normals z and uniforms, with N(m, s) = m + s z,
a = (age - 50) / 15, F = 1 for women:

    age        18 + 72 B,  B ~ Beta(2.2, 2.4)                                           years
    sex        P(female) = 0.54
    bmi        exp(N(3.28 + 0.05 a - 0.045 a^2 - 0.02 F, 0.17))                          kg/m²
    alcohol    none, moderate, heavy ~ softmax(0.4 F, 0.3 - 0.1 a, -1.3 - 0.8 F - 0.3 a^2)
    genotype   CC, CG, GG, Hardy-Weinberg with allele frequency 0.25
    u          N(0.55 F + 0.25 a, 1): autoimmunity (not recorded)
    ana_titre  negative, 1:80, 1:160, 1:320 or more: u cut at 0.8, 1.6, 2.3
    igg        exp(N(2.42 + 0.09 max(u, 0)^1.5, 0.2))                                    g/L
    fat        softplus((bmi - 27) / 3) (1 + 0.5 g),  g = copies of G
    alt        exp(N(3.05 - 0.2 F + 0.16 fat + 0.25 heavy + 0.07 max(u, 0)^2, 0.38))     U/L
    bilirubin  exp(N(2.3 + 0.3 heavy + 0.25 max(log(alt / 40), 0)^2 - 0.15 F, 0.4))      µmol/L
    albumin    N(43.5 - 1.2 a - 1.5 heavy - 2.5 max(log(bilirubin / 15), 0)^1.5, 2.8)    g/L
    platelets  exp(N(5.52 + 0.05 F - 0.05 a - 0.02 max(40 - albumin, 0), 0.24))          10^9/L
    inr        1 + exp(N(-3.0 + 0.10 max(40 - albumin, 0) + 0.3 heavy, 0.6))

Values are rounded to the decimals of the schema, and rows outside its bounds are drawn again, so the law of the
covariates is the one above given the box. Then, on the rounded, recorded columns alone,

    P(disease = 1 | x) = sigmoid(b + 1.0 s(titre) (0.6 + 0.7 F) + 2.0 tanh(log(alt / 45)) + 1.2 softplus((igg - 14) / 2)
                                 + 1.6 bump(age; 24, 7) + 1.2 bump(age; 58, 9) + 1.0 (albi + 2.6)
                                 + 0.9 g heavy - 1.2 log(alt / 45) softplus((bmi - 28) / 2) / 4
                                 + 20 max(log(250 / platelets), 0) (inr - 1)),
    s(titre) in {0, 0.8, 1.5, 2.0},  bump(x; m, s) = exp(-((x - m) / s)^2 / 2),
    albi = 0.66 log10(bilirubin) - 0.085 albumin        [Johnson 2015, albumin-bilirubin grade].

b = -4.74. `case_probability` is this function: no classifier that sees a row can know more. Over 400,000 fresh rows the
prevalence is 5.0 % and the best possible scores are AUROC .902, average precision .57 and F1 .54 (recomputed by the
tests of this module); the 2,000 rows of the study hold 103 cases.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit

from synthcohort.datasets.catalogue import CATALOGUE
from synthcohort.datasets.table import Table
from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema, read_frame

FILE = "rare_liver.csv"
ROWS = 2000
TARGET = "disease"
_SEED = 20_150_107
_INTERCEPT = -4.74
_TITRES = ("negative", "1:80", "1:160", ">=1:320")
_TITRE_SCORES = np.array([0.0, 0.8, 1.5, 2.0])


def _numeric(name: str, low: float, high: float, decimals: int, unit: str, meaning: str) -> Column:
    return Column(name, "numeric", "feature", (), low, high, decimals, unit, meaning)


SCHEMA = Schema(
    (
        _numeric("age", 18, 90, 0, "years", "age at referral"),
        Column("sex", "categorical", "sensitive", ("female", "male"), meaning="sex"),
        _numeric("bmi", 14, 55, 1, "kg/m²", "body mass index"),
        Column("alcohol", "categorical", levels=("none", "moderate", "heavy"), meaning="alcohol consumption"),
        Column("genotype", "categorical", levels=("CC", "CG", "GG"), meaning="risk allele G of a liver fat gene"),
        Column("ana_titre", "categorical", levels=_TITRES, meaning="titre of antinuclear antibodies"),
        _numeric("igg", 4, 50, 1, "g/L", "immunoglobulin G"),
        _numeric("alt", 4, 1500, 0, "U/L", "alanine aminotransferase"),
        _numeric("bilirubin", 2, 400, 0, "µmol/L", "total bilirubin"),
        _numeric("albumin", 15, 55, 1, "g/L", "albumin"),
        _numeric("platelets", 30, 800, 0, "10^9/L", "platelet count"),
        _numeric("inr", 1, 4, 2, "", "international normalised ratio"),
        Column(TARGET, "categorical", "target", ("0", "1"), meaning="1 = has the rare disease (simulated)"),
    ),
    "1",
)


def read(folder: Path) -> Table:
    """Return the table in `folder`: [2000, 13], the last column is the target."""
    return Table(read_frame(folder / FILE, SCHEMA), SCHEMA, CATALOGUE["rare_liver"].card)


def registry() -> pd.DataFrame:
    """Return the one table of the study, [2000, 13]: the first draw of the law under a fixed seed."""
    return draw(ROWS, Rng(_SEED).branch("rare_liver"))


def draw(n: int, rng: Rng) -> pd.DataFrame:
    """Return n fresh rows of the law, [n, 13], independent of each other; n >= 0."""
    blocks: list[pd.DataFrame] = []
    have = 0
    while have < n or not blocks:
        block = _inside(_covariates(max(n, 64), rng.branch("covariates", len(blocks)).numpy()))
        blocks.append(block)
        have += len(block)
    frame = pd.concat(blocks, ignore_index=True).iloc[:n]
    uniform = rng.branch("disease").numpy().random(n)
    frame[TARGET] = np.where(uniform < case_probability(frame), "1", "0")
    return SCHEMA.check(SCHEMA.cast(frame))


def case_probability(frame: pd.DataFrame) -> np.ndarray:
    """Return P(disease = 1 | row) for n rows, [n], exact; only the twelve covariates are looked at."""
    x = {c.name: frame[c.name].to_numpy(dtype=np.float64) for c in SCHEMA.numeric}
    female = (frame["sex"] == "female").to_numpy(dtype=np.float64)
    heavy = (frame["alcohol"] == "heavy").to_numpy(dtype=np.float64)
    copies = frame["genotype"].astype("object").map({"CC": 0.0, "CG": 1.0, "GG": 2.0}).to_numpy(dtype=np.float64)
    titre = frame["ana_titre"].astype("object").map(dict(zip(_TITRES, _TITRE_SCORES))).to_numpy(dtype=np.float64)
    log_alt = np.log(x["alt"] / 45)
    albi = 0.66 * np.log10(x["bilirubin"]) - 0.085 * x["albumin"]
    score = (
        _INTERCEPT
        + 1.0 * titre * (0.6 + 0.7 * female)
        + 2.0 * np.tanh(log_alt)
        + 1.2 * _softplus((x["igg"] - 14) / 2)
        + 1.6 * _bump(x["age"], 24, 7)
        + 1.2 * _bump(x["age"], 58, 9)
        + 1.0 * (albi + 2.6)
        + 0.9 * copies * heavy
        - 1.2 * log_alt * _softplus((x["bmi"] - 28) / 2) / 4
        + 20 * np.maximum(np.log(250 / x["platelets"]), 0) * (x["inr"] - 1)
    )
    return expit(score)


def _covariates(n: int, g: np.random.Generator) -> pd.DataFrame:
    """Draw n rows of the sequential law, rounded, before the box is imposed."""
    age = np.round(18 + 72 * g.beta(2.2, 2.4, n))
    a = (age - 50) / 15
    female = (g.random(n) < 0.54).astype(np.float64)
    bmi = np.exp(3.28 + 0.05 * a - 0.045 * a**2 - 0.02 * female + 0.17 * g.standard_normal(n))
    weights = np.stack([0.4 * female, 0.3 - 0.1 * a, -1.3 - 0.8 * female - 0.3 * a**2], axis=1)  # [n, 3]
    alcohol = np.argmax(weights + g.gumbel(size=weights.shape), axis=1)  # [n]
    heavy = (alcohol == 2).astype(np.float64)
    copies = g.binomial(2, 0.25, n)
    u = 0.55 * female + 0.25 * a + g.standard_normal(n)
    positive = np.maximum(u, 0)
    igg = np.exp(2.42 + 0.09 * positive**1.5 + 0.2 * g.standard_normal(n))
    fat = _softplus((bmi - 27) / 3) * (1 + 0.5 * copies)
    drive = 3.05 - 0.2 * female + 0.16 * fat + 0.25 * heavy + 0.07 * positive**2
    alt = np.round(np.exp(drive + 0.38 * g.standard_normal(n)))
    injury = np.maximum(np.log(np.maximum(alt, 1) / 40), 0) ** 2
    bilirubin = np.exp(2.3 + 0.3 * heavy + 0.25 * injury - 0.15 * female + 0.4 * g.standard_normal(n))
    strain = np.maximum(np.log(bilirubin / 15), 0) ** 1.5
    albumin = 43.5 - 1.2 * a - 1.5 * heavy - 2.5 * strain + 2.8 * g.standard_normal(n)
    deficit = np.maximum(40 - albumin, 0)
    platelets = np.exp(5.52 + 0.05 * female - 0.05 * a - 0.02 * deficit + 0.24 * g.standard_normal(n))
    inr = 1 + np.exp(-3.0 + 0.10 * deficit + 0.3 * heavy + 0.6 * g.standard_normal(n))
    return pd.DataFrame(
        {
            "age": age,
            "sex": np.where(female == 1, "female", "male"),
            "bmi": np.round(bmi, 1),
            "alcohol": np.array(SCHEMA["alcohol"].levels)[alcohol],
            "genotype": np.array(SCHEMA["genotype"].levels)[copies],
            "ana_titre": np.array(_TITRES)[np.searchsorted([0.8, 1.6, 2.3], u, side="right")],
            "igg": np.round(igg, 1),
            "alt": alt,
            "bilirubin": np.round(bilirubin),
            "albumin": np.round(albumin, 1),
            "platelets": np.round(platelets),
            "inr": np.round(inr, 2),
        }
    )


def _inside(frame: pd.DataFrame) -> pd.DataFrame:
    within = [frame[c.name].between(c.low, c.high) for c in SCHEMA.numeric]
    return frame[np.logical_and.reduce(within)]


def _softplus(x: np.ndarray) -> np.ndarray:
    return np.logaddexp(0.0, x)


def _bump(x: np.ndarray, centre: float, width: float) -> np.ndarray:
    return np.exp(-(((x - centre) / width) ** 2) / 2)
