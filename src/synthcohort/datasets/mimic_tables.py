"""Which tables are drawn from MIMIC?

Two, from the same folder: the diagnoses of every patient, and mortality in intensive care. The files are given to
credentialed persons only and are never downloaded; `credentialed` says how the tables get here.
"""

from __future__ import annotations

from synthcohort.datasets.entry import Entry

_HOME = "https://physionet.org/content/mimiciii/"
_LICENCE = "PhysioNet Credentialed Health Data License 1.5.0 (the demo: Open Database License 1.0)"
_CITATION = (
    "Johnson et al. (2016), MIMIC-III, Scientific Data 3:160035; Johnson et al. (2023), MIMIC-IV, Scientific Data 10:1"
)

_MIMIC_ICD = Entry(
    name="mimic_icd",
    title="MIMIC: diagnoses of each patient",
    publisher="MIT Laboratory for Computational Physiology, PhysioNet",
    homepage=_HOME,
    licence=_LICENCE,
    citation=f"{_CITATION}; the table: Choi et al. (2017), medGAN, PMLR 68:286-305",
    quirks=(
        "A row is a patient who was ever admitted, a column a category of diagnosis: three characters of an ICD-9 "
        "code, four of one that starts with E, three of an ICD-10 code. Columns are in the order of the codes.",
        "1 says that any admission of the patient has a code of the category; how often and when is lost.",
        "medGAN's script gives 46,520 x 1,071 on MIMIC-III v1.4, counting the empty code as a column, if any; here it "
        "is none. Tables 1,782 wide hold more than diagnoses: the dictionary has 1,234 categories of these in all.",
        "The source names no outcome: the target is the commonest category that at most half of the patients have.",
    ),
    credentialed=True,
)

_MIMIC_MORTALITY = Entry(
    name="mimic_mortality",
    title="MIMIC: death in hospital after a day of intensive care",
    publisher="MIT Laboratory for Computational Physiology, PhysioNet",
    homepage=_HOME,
    licence=_LICENCE,
    citation=_CITATION,
    quirks=(
        "A row is an adult's first stay in intensive care, if it lasts 24 hours or longer and no death is recorded "
        "within them; stays without a recorded end are left out.",
        "Vital signs and laboratory values are the lowest, mean, highest and last of those taken in the first 24 hours "
        "in the unit, by the time they were taken; some results came back later than that. All are rounded to two "
        "decimals. Values nobody can have are read as not taken, and so are those that nurses marked as errors.",
        "A cell is missing where nobody measured, which is no accident. Where a value was taken once, all four of its "
        "columns are equal.",
        "Ages above 89 are one value: 91.4 in MIMIC-III, which shifts these births by centuries, 91 in MIMIC-IV.",
        "Blood gases may be arterial or venous. The verbal part of the Glasgow Coma Scale is lowest where a tube "
        "keeps the patient from speaking.",
        "Ethnicities are put into six groups by their first words; who wrote them down, and how, is not known.",
    ),
    credentialed=True,
)

MIMIC_TABLES = (_MIMIC_ICD, _MIMIC_MORTALITY)
