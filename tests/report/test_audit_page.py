"""What the page on audits says: bounds beside claims, faults that are caught, and what cannot be said."""

import pandas as pd
import pytest

from synthcohort import scores
from synthcohort import study as studies
from synthcohort.cells import auditing
from synthcohort.metrics.privacy_audit import Bound
from synthcohort.report import audit as page

PARAMS = """
study: {seed: 1, splits: 1}
datasets: {toy: {}}
generators: {vae: {}}
audit: {tables: [toy], epsilons: [1, 16], families: {mst: {}, dp_vae: {}}}
"""


@pytest.fixture
def study(tmp_path):
    (tmp_path / "params.yaml").write_text(PARAMS)
    (tmp_path / "dvc.yaml").touch()
    return studies.load(tmp_path)


def cell(generator, claims, **bounds):
    """Return the scores of one cell; claims: budget -> claimed; bounds: audited -> (bound, ceiling) of each budget."""
    found = []
    for place, (epsilon, claimed) in enumerate(claims.items()):
        condition = f"epsilon={epsilon:g}"
        found.append(scores.Score("privacy", auditing.CLAIMED, claimed, 300, "down", condition=condition))
        for name, own in bounds.items():
            bound, ceiling = own[place]
            found += auditing.bound_scores(name, Bound(bound, 200, 100, 80, "distance", ceiling), condition)
    return scores.to_frame(found, dataset="toy", generator=generator, split=0)


def audits(frame):
    return page.audits(frame, 0.95, ["toy"], ["mst", "dp_vae"])


def sound():
    rows = cell("mst", {1: 0.99, 16: 15.8}, rows=[(0.2, 3.0), (1.58, 3.0)])
    loop = cell(
        "dp_vae", {1: 0.98, 16: 15.9}, rows=[(0.0, 3.0), (0.4, 3.0)], loop=[(0.5, 5.0), (2.0, 5.0)],
        unclipped=[(4.5, 5.0), (5.0, 5.0)], reused_noise=[(4.6, 5.0), (4.9, 5.0)],
    )  # fmt: skip
    return pd.concat([loop, rows], ignore_index=True)


def test_bounds_below_their_claims_support_them():
    found = audits(sound())
    answer = found.answer()
    assert answer.startswith("Supported: in 6 audits no lower bound lies above its claim.")
    assert "that a bound reaches is 50 %" in answer and "95 % confidence" in answer  # 0.5 of 1 in the loop
    assert found.found["generator"].tolist()[:2] == ["mst", "mst"]


def test_a_bound_above_its_claim_is_named():
    broken = cell("mst", {1: 0.99}, rows=[(1.4, 3.0)])
    answer = audits(broken).answer()
    assert answer.startswith(
        "Contradicted: in 1 of 1 audit the lower bound lies above the claim: toy, mst, synthetic rows"
    )
    assert "1.400 above 0.990" in answer


def test_faults_count_only_where_so_many_canaries_can_refute_the_claim():
    found = audits(sound())
    assert "loop without clipping: caught in 1 of 1; loop with reused noise: caught in 1 of 1" in found.controls()
    assert set(found.provable["epsilon"]) == {1.0}
    missed = cell("dp_vae", {1: 0.98}, rows=[(0.0, 3.0)], unclipped=[(0.9, 5.0)], reused_noise=[(2.0, 5.0)])
    assert "loop without clipping: caught in 0 of 1" in audits(missed).controls()
    assert "was not tried on a broken mechanism" in audits(cell("mst", {1: 0.9}, rows=[(0.0, 3.0)])).controls()


def test_the_table_marks_what_is_as_it_should_be():
    table = page.bounds_table(audits(sound()))
    assert table.count("<tr>") == 1 + 10
    assert table.count("badge supported") == 6 + 2 and table.count("badge undecided") == 2
    missed = cell("dp_vae", {1: 0.98}, rows=[(0.99, 3.0)], unclipped=[(0.9, 5.0)])
    assert page.bounds_table(audits(missed)).count("badge contradicted") == 2


def test_claims_beyond_the_ceiling_of_the_rows_are_named():
    said = page.limits(audits(sound()))
    assert said[-1] == "more canaries: of the rows, claims of ε = 16 lie above what so few canaries can refute."


def test_points_are_named_and_the_loop_is_held_to_its_own_claim():
    points = page.points(audits(sound()))
    assert points["name"].tolist()[0] == "toy, mst, synthetic rows, ε = 1" and points["claimed"].tolist()[0] == 0.99
    loop = points[points["name"].str.contains("training loop, ε = 1$")]
    assert loop["claimed"].tolist() == [1.0]
    assert "synthetic rows: 200" in page.figure_note(audits(sound()))


def test_the_scores_are_found_and_failed_ones_are_no_audit(study):
    assert page.find(study) is None
    whole = sound()
    scores.write(whole[whole["generator"] == "mst"], study.paths.audit("toy", "mst"))
    assert len(page.find(study).found) == 2
    lost = whole[whole["generator"] == "mst"].assign(value=float("nan"), note="no noise is enough")
    scores.write(lost, study.paths.audit("toy", "mst"))
    assert page.find(study) is None


def test_the_page_knows_everything_that_a_cell_audits():
    assert set(page.NAMED) == {"rows", *auditing.LOOPS}
