"""Which measurements of the first day in intensive care are used, and under which numbers does MIMIC file them?

Vital signs are in CHARTEVENTS, where MIMIC-III numbers those of its older system (CareVue) below 20,000 and those of
the newer (MetaVision, the only one in MIMIC-IV) above 220,000; laboratory values are in LABEVENTS under one numbering.
The vital signs and their numbers are those of the first-day views of the MIMIC Code Repository [Johnson 2018], with the
three parts of the Glasgow Coma Scale. Values outside `low` to `high` are read as not taken: nobody can have them, or no
instrument shows them.

Departs: the views take any positive respiration rate below 70 and pressure below 300 or 400; the limits of the
laboratory values are ours. None was set with outcomes in view.
"""

from __future__ import annotations

from dataclasses import dataclass

FAHRENHEIT = frozenset({678, 223761})  # item numbers whose values are degrees Fahrenheit


@dataclass(frozen=True)
class Measure:
    """One measurement.

    Args:
        name: start of the names of its columns.
        meaning: what it is.
        unit: of its values, after conversion.
        items: the item numbers it is filed under.
        low, high: values outside these are read as not taken, in `unit`.
    """

    name: str
    meaning: str
    unit: str
    items: tuple[int, ...]
    low: float
    high: float


VITALS = (
    Measure("heart_rate", "heart rate", "1/min", (211, 220045), 1, 300),
    Measure("systolic", "systolic pressure", "mmHg", (51, 442, 455, 6701, 220050, 220179), 1, 400),
    Measure("diastolic", "diastolic pressure", "mmHg", (8368, 8440, 8441, 8555, 220051, 220180), 1, 300),
    Measure("mean_pressure", "mean pressure", "mmHg", (52, 443, 456, 6702, 220052, 220181, 225312), 1, 300),
    Measure("respiration", "respiration rate", "1/min", (615, 618, 220210, 224690), 1, 70),
    Measure("temperature", "temperature", "°C", (676, 678, 223761, 223762), 20, 50),
    Measure("spo2", "oxygen saturation by pulse oximetry", "%", (646, 220277), 1, 100),
    Measure(
        "bedside_glucose",
        "glucose as charted at the bedside",
        "mg/dL",
        (807, 811, 1529, 3744, 3745, 220621, 225664, 226537),
        1,
        3000,
    ),
    Measure("gcs_eye", "Glasgow Coma Scale, eye opening", "", (184, 220739), 1, 4),
    Measure("gcs_verbal", "Glasgow Coma Scale, verbal response", "", (723, 223900), 1, 5),
    Measure("gcs_motor", "Glasgow Coma Scale, motor response", "", (454, 223901), 1, 6),
)
LABS = (
    Measure("albumin", "albumin", "g/dL", (50862,), 0, 10),
    Measure("alp", "alkaline phosphatase", "IU/L", (50863,), 0, 20_000),
    Measure("alt", "alanine aminotransferase", "IU/L", (50861,), 0, 50_000),
    Measure("anion_gap", "anion gap", "mEq/L", (50868,), -20, 100),
    Measure("ast", "aspartate aminotransferase", "IU/L", (50878,), 0, 50_000),
    Measure("bicarbonate", "bicarbonate", "mEq/L", (50882,), 0, 100),
    Measure("bilirubin", "total bilirubin", "mg/dL", (50885,), 0, 150),
    Measure("bun", "urea nitrogen", "mg/dL", (51006,), 0, 300),
    Measure("calcium", "total calcium", "mg/dL", (50893,), 0, 30),
    Measure("chloride", "chloride", "mEq/L", (50806, 50902), 30, 200),
    Measure("creatinine", "creatinine", "mg/dL", (50912,), 0, 150),
    Measure("glucose", "glucose", "mg/dL", (50809, 50931), 1, 3000),
    Measure("hematocrit", "haematocrit", "%", (50810, 51221), 1, 100),
    Measure("hemoglobin", "haemoglobin", "g/dL", (50811, 51222), 1, 50),
    Measure("inr", "international normalised ratio of prothrombin time", "", (51237,), 0, 50),
    Measure("lactate", "lactate", "mmol/L", (50813,), 0, 50),
    Measure("magnesium", "magnesium", "mg/dL", (50960,), 0, 30),
    Measure("pco2", "partial pressure of carbon dioxide", "mmHg", (50818,), 1, 300),
    Measure("ph", "pH of blood", "", (50820,), 6, 8.5),
    Measure("phosphate", "phosphate", "mg/dL", (50970,), 0, 50),
    Measure("platelets", "platelets", "10^9/L", (51265,), 0, 10_000),
    Measure("po2", "partial pressure of oxygen", "mmHg", (50821,), 1, 800),
    Measure("potassium", "potassium", "mEq/L", (50822, 50971), 0.5, 30),
    Measure("ptt", "partial thromboplastin time", "s", (51275,), 0, 500),
    Measure("sodium", "sodium", "mEq/L", (50824, 50983), 50, 250),
    Measure("troponin_t", "troponin T", "ng/mL", (51003,), 0, 1000),
    Measure("wbc", "white blood cells", "10^9/L", (51300, 51301), 0, 1000),
)
