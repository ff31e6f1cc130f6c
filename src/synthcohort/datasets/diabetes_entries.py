"""What is known of the two tables made from one file about diabetic patients in 130 hospitals?"""

from __future__ import annotations

from synthcohort.datasets.entry import CC_BY, UCI, Entry, RawFile, Source

_FILES = (
    RawFile(
        "diabetic_data.csv",
        "0689e7ec031237dc63031b938805c48377748761a3b26acab621567afa24df97",
        19_159_383,
        (
            Source(f"{UCI}/static/public/296/diabetes+130-us+hospitals+for+years+1999-2008.zip", "diabetic_data.csv"),
            Source(
                f"{UCI}/ml/machine-learning-databases/00296/dataset_diabetes.zip", "dataset_diabetes/diabetic_data.csv"
            ),
        ),
    ),
)
_PUBLISHER = "UCI Machine Learning Repository (dataset 296)"
_HOMEPAGE = f"{UCI}/dataset/296/diabetes+130-us+hospitals+for+years+1999-2008"
_CITATION = "Strack et al. (2014), BioMed Research International 2014:781670; data: doi:10.24432/C5230J"

DIABETES130 = Entry(
    name="diabetes130",
    title="Diabetes, 130 hospitals of the United States, 1999 to 2008",
    publisher=_PUBLISHER,
    homepage=_HOMEPAGE,
    licence=CC_BY,
    citation=_CITATION,
    quirks=(
        "A row is a stay in hospital of one to fourteen days. The target is readmission within 30 days; a later "
        "readmission and none are the other class.",
        "All stays are kept. Those that end in death (1,652) or in a hospice (771) are levels of "
        "discharge_disposition; the dead are never readmitted, which a good generator has to learn. Strack et al. "
        "leave both out, and keep one stay a patient.",
        "A question mark is a missing cell, and so are the codes that stand for not available, not mapped, NULL and "
        "unknown: more than a third of payer_code and of medical_specialty. That a laboratory value was not measured "
        "is a level, not a hole.",
        "Left out: both identifiers; weight, missing in 97 % of the stays; twelve drugs that fewer than 100 stays "
        "note, two of them none.",
        "The codes of admission and discharge are joined to fewer levels, diagnoses to the nine groups of Strack et "
        "al., and payers and specialties of fewer than 1 % of the stays to the level other. These limits are ours and "
        "were set with the table in view.",
    ),
    files=_FILES,
)

DIABETES130_ICD = Entry(
    name="diabetes130_icd",
    title="Diabetes, 130 hospitals of the United States: diagnosis codes",
    publisher=_PUBLISHER,
    homepage=_HOMEPAGE,
    licence=CC_BY,
    citation=_CITATION,
    quirks=(
        "A row is a patient, a column a diagnosis code (ICD-9, cut to three characters, four for E codes): 1 where any "
        "stay of the patient notes it. At most three codes a stay are in the file.",
        "Of 881 codes the 446 that 20 patients or more have are kept; the others make up 1 % of the ones. The limit is "
        "ours and was set with the table in view. Seven patients have none of the codes kept.",
        "The target is readmission within 30 days after any stay. Codes noted after that readmission count too: the "
        "table describes a patient and predicts nothing ahead of time.",
        "Many rows are the same, since most patients have one stay and three codes.",
    ),
    files=_FILES,
    shelf="diabetes130",
)
