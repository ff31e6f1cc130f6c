"""How fast, and in how much memory, is a cohort drawn from MIMIC's largest table?

Writes an invented MIMIC-III, whose CHARTEVENTS.csv.gz has the columns, the quotes and about the share of wanted items
of the real one (330 million rows), and draws `mimic_mortality` from it. One row in five is a vital sign, one event in
four lies within the first 24 hours of a stay. The rows are written by another process, so that the peak is the draw's.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import duckdb
from measuring import Clock, machine, megabytes, show

from synthcohort.datasets import mimic_mortality
from synthcohort.datasets.mimic_measures import LABS, VITALS

_SMALL = {
    "PATIENTS": """SELECT s AS "SUBJECT_ID", if(s % 2 = 0, 'F', 'M') AS "GENDER",
        TIMESTAMP '2080-01-01' + to_days(s % 9000) AS "DOB" FROM range({patients}) AS t(s)""",
    "ADMISSIONS": """SELECT s AS "SUBJECT_ID", s AS "HADM_ID", NULL AS "DEATHTIME", 'EMERGENCY' AS "ADMISSION_TYPE",
        'Medicare' AS "INSURANCE", 'WHITE' AS "ETHNICITY", if(s % 9 = 0, 1, 0) AS "HOSPITAL_EXPIRE_FLAG"
        FROM range({patients}) AS t(s)""",
    "ICUSTAYS": """SELECT s AS "SUBJECT_ID", s AS "HADM_ID", s AS "ICUSTAY_ID", 'MICU' AS "FIRST_CAREUNIT",
        TIMESTAMP '2150-01-01' AS "INTIME", TIMESTAMP '2150-01-05' AS "OUTTIME" FROM range({patients}) AS t(s)""",
    "LABEVENTS": """SELECT s AS "SUBJECT_ID", {labs}[1 + CAST(hash(s) % len({labs}) AS INTEGER)] AS "ITEMID",
        TIMESTAMP '2150-01-01 01:00:00' AS "CHARTTIME", 10 AS "VALUENUM" FROM range({patients}) AS t(s)""",
}
_LARGE = """SELECT i AS "ROW_ID", hash(i, 1) % {patients} AS "SUBJECT_ID", hash(i, 1) % {patients} AS "HADM_ID",
    hash(i, 1) % {patients} AS "ICUSTAY_ID",
    if(hash(i, 2) % 5 = 0, {vitals}[1 + CAST(hash(i, 3) % len({vitals}) AS INTEGER)], 1000 + hash(i, 3) % 100)
    AS "ITEMID",
    TIMESTAMP '2150-01-01' + to_seconds(CAST(hash(i, 4) % 345600 AS INTEGER)) AS "CHARTTIME",
    TIMESTAMP '2150-01-02' AS "STORETIME", 20000 AS "CGID", CAST(60 + hash(i, 5) % 60 AS VARCHAR) AS "VALUE",
    60 + hash(i, 5) % 60 AS "VALUENUM", 'mmHg' AS "VALUEUOM", 0 AS "WARNING", 0 AS "ERROR",
    NULL AS "RESULTSTATUS", NULL AS "STOPPED" FROM range({rows}) AS t(i)"""


def main(arguments: list[str]) -> None:
    """Print rows a second, of the clock and of the processor, and the peak of memory."""
    parser = argparse.ArgumentParser(prog="extraction", description=__doc__)
    parser.add_argument("--rows", type=int, default=50_000_000, help="events of CHARTEVENTS (default: %(default)s)")
    parser.add_argument("--patients", type=int, default=40_000, help="stays (default: %(default)s)")
    parser.add_argument("--folder", type=Path, help="where the files are written and left (default: a temporary one)")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as passing:
        folder = chosen.folder or Path(passing)
        folder.mkdir(parents=True, exist_ok=True)
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as apart:
            apart.submit(write, folder, chosen.rows, chosen.patients).result()
        packed = (folder / "CHARTEVENTS.csv.gz").stat().st_size / 2**20
        before, clock, started = megabytes(), Clock(), time.perf_counter()
        with clock.measure("mimic_mortality"):
            found = mimic_mortality.extract(folder)
        seconds = time.perf_counter() - started
    rate = f"{chosen.rows / seconds:,.0f}"
    cells = [(name, cpu, seconds, rate, f"{chosen.rows / cpu:,.0f}") for name, cpu in clock.seconds.items()]
    print()
    show(["table", "CPU seconds", "seconds", "rows a second", "rows a CPU second"], cells)
    events = f"{chosen.rows:,} events ({packed:,.0f} MiB packed) of {chosen.patients:,} patients"
    print(f"\n{events} gave {len(found.cells):,} rows of {found.cells.shape[1]} columns.")
    print(f"Peak resident memory {megabytes()}, {before} of it before the draw. {machine()}")


def write(folder: Path, rows: int, patients: int) -> None:
    """Write the files that the draw reads: four small ones, and CHARTEVENTS of so many rows."""
    items = {"vitals": [item for m in VITALS for item in m.items], "labs": [item for m in LABS for item in m.items]}
    with duckdb.connect() as connection:
        connection.execute("SET threads = 1; SET memory_limit = '2GB'")
        for name, query in {**_SMALL, "CHARTEVENTS": _LARGE}.items():
            selected = query.format(patients=patients, rows=rows, **items)
            connection.execute(
                f"COPY ({selected}) TO '{folder / name}.csv.gz' (HEADER, COMPRESSION gzip, "
                f"TIMESTAMPFORMAT '%Y-%m-%d %H:%M:%S')"
            )
