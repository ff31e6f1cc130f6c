"""Which tables wait for a line in params.yaml?

Published tables the study does not run on unless it is told to: two with a numeric target, one of 70,000 rows, two
with many real holes, one of 299 rows, two of bank customers, one with several rows a patient, one of diagnosis codes,
one of arrests. Each is checked by its SHA-256 as all others are.
"""

from __future__ import annotations

from synthcohort.datasets.diabetes_entries import DIABETES130, DIABETES130_ICD
from synthcohort.datasets.entry import CC_BY, KAGGLE, UCI, Entry, RawFile, Source
from synthcohort.datasets.fairness_entries import BANK_MARKETING, COMPAS

_GITHUB = "https://raw.githubusercontent.com"

_CALIFORNIA = Entry(
    name="california",
    title="California Housing",
    publisher="A. Geron, after Pace & Barry 1997 (StatLib)",
    homepage="https://github.com/ageron/handson-ml/tree/master/datasets/housing",
    licence="Apache-2.0 (the repository that carries the file)",
    citation="Pace & Barry (1997), Statistics & Probability Letters 33:291-297",
    quirks=(
        "A row is a block group of the 1990 census, not a person.",
        "The target is numeric: the task is regression. It is capped: every dearer block group has 500,001.",
        "total_bedrooms is missing in 207 rows. Median ages above 52 years and incomes above 15 are capped too.",
    ),
    files=(
        RawFile(
            "housing.csv",
            "8a3727f4cf54ac1a327f69b1d5b4db54c5834ea81c6e4efc0d163300022a685e",
            1_423_529,
            (
                Source(f"{_GITHUB}/ageron/handson-ml/master/datasets/housing/housing.csv"),
                Source(f"{_GITHUB}/ageron/handson-ml2/master/datasets/housing/housing.csv"),
            ),
        ),
    ),
    shelf="california_housing",
)

_INSURANCE = Entry(
    name="insurance",
    title="Medical Cost Personal (insurance charges)",
    publisher="B. Lantz, Machine Learning with R",
    homepage="https://github.com/stedy/Machine-Learning-with-R-datasets",
    licence="Database Contents License (DbCL) 1.0 as stated on Kaggle",
    citation="Lantz, Machine Learning with R",
    quirks=(
        "The rows were simulated by the author of the book: none describes a person.",
        "The target is numeric: the task is regression. One row repeats another.",
    ),
    files=(
        RawFile(
            "insurance.csv",
            "388eff679557d08ac19f463d025de5e0b4adc482537c8456d19934d78621fd47",
            55_628,
            (
                Source(f"{_GITHUB}/stedy/Machine-Learning-with-R-datasets/master/insurance.csv"),
                Source(f"{KAGGLE}/api/v1/datasets/download/mirichoi0218/insurance", "insurance.csv"),
            ),
        ),
    ),
)

_CHURN = Entry(
    name="churn",
    title="Churn Modelling (bank customers)",
    publisher="shrutimechlearn, Kaggle",
    homepage=f"{KAGGLE}/datasets/shrutimechlearn/churn-modelling",
    licence="not verified: not an open licence",
    citation="Churn Modelling, Kaggle; commonly described as fictional bank customers",
    quirks=(
        "RowNumber, CustomerId and Surname are dropped.",
        "Commonly described as fictional: no finding on it is evidence about customers.",
    ),
    files=(
        RawFile(
            "Churn_Modelling.csv",
            "3996cd1fa372e0db0cd9c0ebac35bbd4e8e3c65fb942bb010c826e7b1eeef0a0",
            684_858,
            (
                Source(f"{KAGGLE}/api/v1/datasets/download/shrutimechlearn/churn-modelling", "Churn_Modelling.csv"),
                Source(f"{_GITHUB}/selva86/datasets/master/Churn_Modelling.csv"),
            ),
        ),
    ),
    shelf="churn_modelling",
)

_CARDIO = Entry(
    name="cardio",
    title="Cardiovascular Disease",
    publisher="Svetlana Ulianova, Kaggle",
    homepage=f"{KAGGLE}/datasets/sulianova/cardiovascular-disease-dataset",
    licence="listed as unknown on Kaggle: not an open licence",
    citation="Ulianova, Cardiovascular Disease dataset, Kaggle",
    quirks=(
        "Impossible values are read as missing: systolic pressure outside 50 to 300 mmHg (228 rows), diastolic outside "
        "25 to 250 (1,006), both where the diastolic is not below the systolic (103), height outside 100 to 230 cm "
        "(30), weight outside 30 to 250 kg (7). The limits are ours and were set with the table in view.",
        "Nearly balanced: half of the rows are cases. The id is dropped; age is in days.",
        "The file codes gender 1 and 2; read as female and male, since those coded 2 are 9 cm taller.",
    ),
    files=(
        RawFile(
            "cardio_train.csv",
            "21a705d23381b0dfd6a6416da701b490744f1fc3b47e9ff3db3968c420ffa10c",
            2_941_524,
            (
                Source(
                    f"{KAGGLE}/api/v1/datasets/download/sulianova/cardiovascular-disease-dataset", "cardio_train.csv"
                ),
            ),
        ),
    ),
)

_CKD = Entry(
    name="ckd",
    title="Chronic Kidney Disease",
    publisher="UCI Machine Learning Repository (dataset 336)",
    homepage=f"{UCI}/dataset/336/chronic+kidney+disease",
    licence=CC_BY,
    citation="Rubini, Soundarapandian & Eswaran (2015), doi:10.24432/C5G020",
    quirks=(
        "A tenth of all cells is missing, in every column but the target; categorical ones are left missing too.",
        "Three rows have a stray comma and some cells stray blanks and tabs; these are dropped.",
        "Four impossible cells are read as missing: sodium 4.5, potassium 39 and 47 mEq/L, creatinine 76 mg/dL. The "
        "limits are ours and were set with the table in view.",
        "UCI offers the file inside a RAR archive, which is not opened here; what is downloaded is a copy of it.",
    ),
    files=(
        RawFile(
            "chronic_kidney_disease_full.arff",
            "a5ea96369b8516d725e4f353ad9c6e7e25a1a7db227bc761f59d8e0dfab15797",
            47_277,
            (
                Source(
                    f"{_GITHUB}/chenx333/Chronic-Kidney-Disease-Classification-Challenge/"
                    "eed8412a023b885473d2eb6bd99044a913a7fec9/chronic_kidney_disease_full.arff"
                ),
            ),
        ),
    ),
)

_HEART_FAILURE = Entry(
    name="heart_failure",
    title="Heart Failure Clinical Records",
    publisher="UCI Machine Learning Repository (dataset 519)",
    homepage=f"{UCI}/dataset/519/heart+failure+clinical+records",
    licence=CC_BY,
    citation="Chicco & Jurman (2020), BMC Medical Informatics and Decision Making 20:16, doi:10.24432/C5Z89R",
    quirks=(
        "299 patients: every interval is wide.",
        "time, the days until death or the end of follow-up, is dropped: it gives the outcome away.",
    ),
    files=(
        RawFile(
            "heart_failure_clinical_records_dataset.csv",
            "9c73cea7468ff5d517801ec050fe9993da5912fce4b56f296f8df3b38dd75912",
            12_239,
            (
                Source(
                    f"{UCI}/static/public/519/heart+failure+clinical+records.zip",
                    "heart_failure_clinical_records_dataset.csv",
                ),
                Source(
                    f"{KAGGLE}/api/v1/datasets/download/andrewmvd/heart-failure-clinical-data",
                    "heart_failure_clinical_records_dataset.csv",
                ),
            ),
        ),
    ),
)

_PREPARED = f"{_GITHUB}/alistairewj/challenge2012/master/data"

_PHYSIONET2012 = Entry(
    name="physionet2012",
    title="PhysioNet Challenge 2012: death in hospital after two days of intensive care",
    publisher="PhysioNet, Computing in Cardiology Challenge 2012; one row a patient as prepared by A. Johnson",
    homepage="https://github.com/alistairewj/challenge2012",
    licence="Apache-2.0 (the prepared files); Open Data Commons Attribution 1.0 (the challenge's records)",
    citation="Silva et al. (2012), Computing in Cardiology 39:245-248; Johnson et al. (2012), the same 39:249-252",
    quirks=(
        "Sets a and b are joined (4,000 + 4,000 patients); the study makes its own splits.",
        "The publisher's aggregates of the first 48 hours: first, last, lowest, highest and median of eleven bedside "
        "measures, first and last of the laboratory's. Where a measure was taken once its aggregates are equal.",
        "A quarter of all cells is missing, since nobody measured; not at random: those who died miss fewer.",
        "Left out: recordid; the outcomes Length_of_stay and Survival and the scores SAPS-I and SOFA; UrineOutputSum, "
        "in which the publisher's program added up ventilation flags instead of urine.",
        "Heights above 250 cm (12 patients) are read as missing: that program's mending of units went wrong there. "
        "Other artefacts, such as a mean arterial pressure of 1 mmHg, are kept as published.",
        "MechVentLast8Hour is never where no ventilation is recorded; its start and duration are then missing.",
    ),
    files=(
        RawFile(
            "PhysionetChallenge2012-set-a.csv",
            "64ddfff05c7f0e8287b1f0d36fa786d2d05f58f1bfebacb8d9bcf8d15cebdef0",
            1_889_500,
            (Source(f"{_PREPARED}/PhysionetChallenge2012-set-a.csv.gz"),),
        ),
        RawFile(
            "PhysionetChallenge2012-set-b.csv",
            "d8f48bca0a90a4c142aadb2fc25dda576f2aa60c512f16dcd5a33624e4ca2ba6",
            1_894_024,
            (Source(f"{_PREPARED}/PhysionetChallenge2012-set-b.csv.gz"),),
        ),
    ),
)

FURTHER_TABLES = (
    *(_CALIFORNIA, _INSURANCE, _CHURN, _CARDIO, _CKD, _HEART_FAILURE, _PHYSIONET2012),
    *(DIABETES130, DIABETES130_ICD, BANK_MARKETING, COMPAS),
)
