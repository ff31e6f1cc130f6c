"""The cell that measures dependence: a score on every split, from train and validation rows alone."""

import toys
from synthcohort import scores
from synthcohort import study as studies
from synthcohort.cells import dependence
from synthcohort.metrics import dependence as metric
from synthcohort.schema import write_frame

PARAMS = (
    "study: {seed: 1, splits: 2}\ndatasets: {toy: {}}\ngenerators: {independent: {}}\nimputation: {tables: [toy]}\n"
)


def test_every_split_has_its_score_and_a_constant_table_its_reason(tmp_path):
    (tmp_path / "params.yaml").write_text(PARAMS)
    (tmp_path / "dvc.yaml").touch()
    study = studies.load(tmp_path)
    frame, schema = toys.mixed(200)
    place = study.paths.development("toy")
    place.mkdir(parents=True)
    schema.to_json(place / "schema.json")
    parts = {0: frame, 1: frame.iloc[[3] * 200].reset_index(drop=True)}
    for split, rows in parts.items():
        write_frame(rows.iloc[:150], place / f"split_{split}" / "train.csv")
        write_frame(rows.iloc[150:], place / f"split_{split}" / "validation.csv")
    found = dependence.dependence_cell(study, "toy")
    written = scores.read(study.paths.dependence("toy"))
    assert written["value"].tolist()[0] == round(found["value"][0], 10) and len(written) == 2
    validation = parts[0].iloc[150:].reset_index(drop=True)
    rng = study.rng.branch("dependence", "toy", 0)
    (wanted,) = metric.dependence(parts[0].iloc[:150], validation, schema, max_rows=5_000, rng=rng)
    assert found["value"][0] == wanted.value and 0.2 < wanted.value < 1
    assert found["note"][1] == "every column is constant over the 50 validation rows: nothing can be judged"
