"""Which tables does the study know, who publishes them, and which bytes are the true ones?

One frozen record per table: here those that the study's own params.yaml names, in `further_tables` those that wait for
such a line, in `mimic_tables` those whose files the reader must have. To add a table: a record in one of them, a module
`synthcohort.datasets.<name>` with `read(folder) -> Table`, and a line in params.yaml; a plain CSV needs a block in
params.yaml alone.
"""

from __future__ import annotations

from synthcohort.datasets.entry import CC_BY, KAGGLE, UCI, Entry, RawFile, Source
from synthcohort.datasets.further_tables import FURTHER_TABLES
from synthcohort.datasets.mimic_tables import MIMIC_TABLES
from synthcohort.datasets.table import TableError

_WDBC = Entry(
    name="wdbc",
    title="Breast Cancer Wisconsin (Diagnostic)",
    publisher="UCI Machine Learning Repository (dataset 17)",
    homepage=f"{UCI}/dataset/17/breast+cancer+wisconsin+diagnostic",
    licence=CC_BY,
    citation="Wolberg, Mangasarian, Street & Street (1995), doi:10.24432/C5DW2B",
    quirks=(
        "Read from the copy inside scikit-learn: the same 569 rows without the patient number, and with the "
        "diagnosis coded 0 = malignant, 1 = benign; the levels here are the words.",
        "The 30 columns are the mean, the standard error and the largest value of ten measures of the cell nuclei, "
        "so many of them are nearly functions of each other (radius, perimeter, area).",
    ),
    files=(RawFile("breast_cancer.csv", "fed3eb72d0575ef6192293f5093c6e801b1476b577d0386bf4455504522172ed", 119_913),),
    package="sklearn",
    member="datasets/data/breast_cancer.csv",
)

_PIMA = Entry(
    name="pima",
    title="Pima Indians Diabetes",
    publisher="National Institute of Diabetes and Digestive and Kidney Diseases",
    homepage=f"{KAGGLE}/datasets/uciml/pima-indians-diabetes-database",
    licence="CC0 as stated on Kaggle; no longer offered by UCI",
    citation="Smith et al. (1988), Using the ADAP learning algorithm to forecast the onset of diabetes mellitus",
    quirks=(
        "Zero stands for missing in Glucose (5 rows), BloodPressure (35), SkinThickness (227), Insulin (374) and "
        "BMI (11) and is read as missing; zero Pregnancies is a true zero.",
        "All patients are women of Pima heritage, 21 years or older.",
    ),
    files=(
        RawFile(
            "diabetes.csv",
            "698c203a14aa31941d2251175330c9199f3ccdb31597abbba2a3e35416257a72",
            23_873,
            (
                Source(f"{KAGGLE}/api/v1/datasets/download/uciml/pima-indians-diabetes-database", "diabetes.csv"),
                Source("https://raw.githubusercontent.com/plotly/datasets/master/diabetes.csv"),
            ),
        ),
    ),
)

_ILPD = Entry(
    name="ilpd",
    title="Indian Liver Patient Dataset",
    publisher="UCI Machine Learning Repository (dataset 225)",
    homepage=f"{UCI}/dataset/225/ilpd+indian+liver+patient+dataset",
    licence=CC_BY,
    citation="Ramana & Venkateswarlu (2012), doi:10.24432/C5D02C",
    quirks=(
        "The label is 1 = liver patient (416 rows) and 2 = not (167): the positive class is the majority.",
        "The albumin-globulin ratio is missing in 4 rows; 13 rows repeat an earlier one exactly.",
        "The file has no header; the column names here are ours. Ages above 89 were recorded as 90.",
    ),
    files=(
        RawFile(
            "Indian Liver Patient Dataset (ILPD).csv",
            "84feac16488de5cf89bd22bd802c77f25841fe93e9ddd32355683e94d46c3425",
            23_755,
            (
                Source(
                    f"{UCI}/static/public/225/ilpd+indian+liver+patient+dataset.zip",
                    "Indian Liver Patient Dataset (ILPD).csv",
                ),
                Source(f"{UCI}/ml/machine-learning-databases/00225/Indian%20Liver%20Patient%20Dataset%20(ILPD).csv"),
            ),
        ),
    ),
)

_STROKE = Entry(
    name="stroke",
    title="Stroke Prediction Dataset",
    publisher="fedesoriano, Kaggle",
    homepage=f"{KAGGLE}/datasets/fedesoriano/stroke-prediction-dataset",
    licence='"Data files (c) Original Authors"; source stated as confidential, for education: not an open licence',
    citation="fedesoriano (2021), Stroke Prediction Dataset, Kaggle",
    quirks=(
        "bmi is written N/A in 201 rows and read as missing.",
        "smoking_status Unknown (1,544 rows) is a level of its own; gender Other occurs in one row.",
        "The column id is left out. Age is fractional below two years.",
        "The source of the patients is not disclosed.",
    ),
    files=(
        RawFile(
            "healthcare-dataset-stroke-data.csv",
            "644d473b05d2797006bd94865e4f8bb057f0c721617911613c82c8fcfc707420",
            316_971,
            (
                Source(
                    f"{KAGGLE}/api/v1/datasets/download/fedesoriano/stroke-prediction-dataset",
                    "healthcare-dataset-stroke-data.csv",
                ),
            ),
        ),
    ),
)

_ADULT_ZIP = f"{UCI}/static/public/2/adult.zip"
_ADULT_FOLDER = f"{UCI}/ml/machine-learning-databases/adult"

_ADULT = Entry(
    name="adult",
    title="Adult (Census Income)",
    publisher="UCI Machine Learning Repository (dataset 2)",
    homepage=f"{UCI}/dataset/2/adult",
    licence=CC_BY,
    citation="Becker & Kohavi (1996), doi:10.24432/C5XW20",
    quirks=(
        "adult.data and adult.test are joined (32,561 + 16,281 rows); the study makes its own splits.",
        "A question mark (workclass, occupation, native-country) is read as a level of its own named missing.",
        "Blanks around cells, the comment line and the full stops after the labels of adult.test are dropped.",
        "fnlwgt is a sampling weight, kept as a number; education-num repeats education.",
    ),
    files=(
        RawFile(
            "adult.data",
            "5b00264637dbfec36bdeaab5676b0b309ff9eb788d63554ca0a249491c86603d",
            3_974_305,
            (Source(_ADULT_ZIP, "adult.data"), Source(f"{_ADULT_FOLDER}/adult.data")),
        ),
        RawFile(
            "adult.test",
            "a2a9044bc167a35b2361efbabec64e89d69ce82d9790d2980119aac5fd7e9c05",
            2_003_153,
            (Source(_ADULT_ZIP, "adult.test"), Source(f"{_ADULT_FOLDER}/adult.test")),
        ),
    ),
)

_RARE_LIVER = Entry(
    name="rare_liver",
    title="Rare liver disease registry (simulated)",
    publisher="synthcohort itself: drawn from the law in synthcohort.datasets.rare_liver",
    homepage="",
    licence="same as the program (Apache-2.0)",
    citation="synthcohort.datasets.rare_liver",
    quirks=(
        "Simulated: no row describes a person, and no finding on it is clinical evidence.",
        "Its law is known: the probability of disease given a row is exact, so the best possible classifier and "
        "fresh rows in any number are available.",
    ),
    simulated=True,
)

CATALOGUE: dict[str, Entry] = {
    e.name: e for e in (_WDBC, _PIMA, _ILPD, _STROKE, _ADULT, _RARE_LIVER, *FURTHER_TABLES, *MIMIC_TABLES)
}


def is_own_csv(name: str, path: str | None) -> bool:
    """Return whether table `name` is the reader's own CSV at `path`, and not one of the catalogue.

    The path of a credentialed table is the folder of its files.

    Raises:
        TableError: if it is neither, or both.
    """
    if name in CATALOGUE and CATALOGUE[name].credentialed:
        return False
    if path is not None and name in CATALOGUE:
        raise TableError(
            f"datasets.{name}: {name!r} is a table of the catalogue and cannot be replaced by the file {path}; "
            f"give your own CSV another name than {', '.join(sorted(CATALOGUE))}"
        )
    if path is None and name not in CATALOGUE:
        raise TableError(
            f"datasets.{name}: no table {name!r}; the catalogue has {', '.join(sorted(CATALOGUE))}. For your own CSV "
            f"write in params.yaml: {name}: {{path: file.csv, target: column, positive: level}}"
        )
    return path is not None
