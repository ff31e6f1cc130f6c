"""The audit of a cell: claims and bounds of every budget, the loop where there is one, what a failed fit leaves."""

import pytest

import toys
from synthcohort import scores
from synthcohort import study as studies
from synthcohort.cells import auditing, progress, rows
from synthcohort.generators import load as registry
from synthcohort.generators.base import FitError
from synthcohort.generators.mst import MST
from synthcohort.rng import Rng
from synthcohort.schema import write_frame

PARAMS = """
study: {seed: 1, splits: 1}
datasets: {toy: {}}
generators: {independent: {}}
audit:
  tables: [toy]
  epsilons: [1, 4]
  families:
    mst: {rounds: 3, bins: 4}
  canaries: 40
  loop_canaries: 300
"""


@pytest.fixture(scope="module", autouse=True)
def a_library_that_does_not_change(tmp_path_factory):
    """Leave the library's own files out of the stamps: these tests are about everything else."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(progress, "SOURCE", tmp_path_factory.mktemp("library"))
        yield


@pytest.fixture
def study(tmp_path):
    (tmp_path / "params.yaml").write_text(PARAMS)
    (tmp_path / "dvc.yaml").touch()
    opened = studies.load(tmp_path)
    frame, schema = toys.mixed(140)
    with rows.whole_folder(opened.paths.development("toy")) as development:
        schema.to_json(development / "schema.json")
        write_frame(frame.iloc[:100], development / "split_0" / "train.csv")
        write_frame(frame.iloc[100:], development / "split_0" / "validation.csv")
    return opened


def test_a_cell_holds_claim_and_bound_of_every_budget(study, monkeypatch):
    given, plain = [], MST.fit

    def record(self, train, schema, *, rng, device="cpu", validation=None):
        given.append(train)
        return plain(self, train, schema, rng=rng, device=device)

    monkeypatch.setattr(MST, "fit", record)
    found = auditing.audit_cell(study, "toy", "mst").set_index(["metric", "condition"])["value"]
    assert [len(train) for train in given] == [len(given[0])] * 2 and 100 + 8 < len(given[0]) < 100 + 32
    for epsilon in (1, 4):
        claimed = found["audit_epsilon_claimed", f"epsilon={epsilon}"]
        assert 0.5 * epsilon < claimed <= epsilon
        assert found["audit_epsilon_rows", f"epsilon={epsilon}"] <= claimed
        assert (
            0 <= found["audit_epsilon_rows", f"epsilon={epsilon}"] <= found["audit_ceiling_rows", f"epsilon={epsilon}"]
        )
    assert not any("loop" in metric for metric, _ in found.index)
    written = scores.read(study.paths.audit("toy", "mst"))
    assert set(written["axis"]) == {"privacy"} and len(written) == 2 * 4
    given.clear()
    before = study.paths.audit("toy", "mst").read_bytes()
    auditing.audit_cell(study, "toy", "mst")
    assert not given and study.paths.audit("toy", "mst").read_bytes() == before


def test_a_network_fitted_by_the_private_loop_has_its_loop_audited_sound_and_broken(study):
    model = registry.build("dp_vae", {"epsilon": 1.0, "max_steps": 8, "batch_size": 40})
    listed = auditing._loop(study, model, 100, Rng(1))
    found = {(score.metric, score.condition): score.value for score in listed}
    assert 0 <= found["audit_epsilon_loop", "epsilon=1"] <= 1.0
    for fault in ("unclipped", "reused_noise"):
        assert found[f"audit_epsilon_{fault}", "epsilon=1"] > 1.0
        assert found[f"audit_ceiling_{fault}", "epsilon=1"] > 3.0


def test_a_fit_that_failed_is_a_reason(study, monkeypatch):
    def fail(self, *args, **options):
        raise FitError("no noise is enough")

    monkeypatch.setattr(MST, "fit", fail)
    found = auditing.audit_cell(study, "toy", "mst")
    assert found["value"].isna().all() and set(found["note"]) == {"no noise is enough"} and len(found) == 2 * 4
