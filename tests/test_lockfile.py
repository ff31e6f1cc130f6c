"""Does DVC read back the record that the quick writer leaves, value for value and in its order?"""

from contextlib import contextmanager

import pytest
from dvc.utils.serialize import modify_yaml, parse_yaml

from synthcohort import lockfile

RECORD = """schema: '2.0'
stages:
  train@b-vae:
    cmd: synthcohort run train --dataset a_table_with_a_long_name --generator a_generator_with_a_long_name
    deps:
    - path: src/synthcohort/rng.py
      md5: '0123456789'
      size: 12
    params:
      params.yaml:
        generators.vae:
          learning_rate: 1e-05
          l2: 0.001
          answer: 'yes'
          empty:
          list: []
  train@a-vae:
    cmd: 'text with ''quotes'', "quotes", a colon: and é'
"""


def change(path, modify):
    with modify(str(path)) as values:
        values["stages"]["added"] = {"b": 1, "a": [0.1, "off", None, True]}


def test_a_record_holds_the_same_values_in_the_same_order_as_one_that_dvc_wrote(tmp_path):
    folders = [tmp_path / "quick", tmp_path / "own"]
    for folder, modify in zip(folders, (lockfile.hastened(modify_yaml), modify_yaml), strict=True):
        folder.mkdir()
        (folder / "dvc.lock").write_text(RECORD, encoding="utf-8")
        change(folder / "dvc.lock", modify)
    quick, own = (parse_yaml((f / "dvc.lock").read_text(encoding="utf-8"), "dvc.lock") for f in folders)
    assert quick == own
    assert quick["stages"]["train@b-vae"]["params"]["params.yaml"]["generators.vae"]["learning_rate"] == 1e-05
    assert list(quick["stages"]) == list(own["stages"]) == ["train@b-vae", "train@a-vae", "added"]
    assert list(quick["stages"]["added"]) == ["b", "a"]
    assert [f.name for f in folders[0].iterdir()] == ["dvc.lock"]


def test_a_change_that_fails_leaves_the_record_as_it_was(tmp_path):
    place = tmp_path / "dvc.lock"
    place.write_text(RECORD, encoding="utf-8")
    with pytest.raises(KeyError), lockfile.hastened(modify_yaml)(str(place)) as values:
        del values["nothing of this name"]
    assert place.read_text(encoding="utf-8") == RECORD


@pytest.mark.parametrize("name", ["dvc.yaml", "dvc.lock"])
def test_other_files_and_the_first_record_are_left_to_dvc(tmp_path, name):
    asked = []

    @contextmanager
    def own(path, fs=None):
        asked.append(path)
        yield {}

    place = tmp_path / name
    if name != lockfile.LOCK:
        place.write_text(RECORD, encoding="utf-8")
    with lockfile.hastened(own)(str(place)):
        pass
    assert asked == [str(place)]
