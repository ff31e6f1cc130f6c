"""The list of a cell's source files: what is followed, what is not, and that it is what Python really imports."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from synthcohort import sources, stages, study

ROOT = Path(__file__).parent.parent


@pytest.fixture
def package(tmp_path, monkeypatch):
    files = {
        "top.py": "from toy import middle, study\n",
        "middle.py": "from toy.room.low import value\ndef late():\n    import toy.room.lazy\n",
        "study.py": "from toy import paths, under_settings\nfrom toy.blocks import one\n",
        "paths.py": "",
        "blocks/__init__.py": "",
        "blocks/one.py": "",
        "under_settings.py": "",
        "room/__init__.py": "",
        "room/low.py": "value = 1\n",
        "room/lazy.py": "import json\n",
        "room/named.py": "from toy import beside\n",
        "beside.py": "",
        "figures/__init__.py": "",
        "figures/dots.py": "from toy import only_drawn\n",
        "only_drawn.py": "",
    }
    for name, text in files.items():
        path = tmp_path / "toy" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    code = ["from toy import top\n", "from toy.figures import dots"]
    cells = [{"cell_type": "markdown", "source": ["import toy.beside"]}, {"cell_type": "code", "source": code}]
    (tmp_path / "a.ipynb").write_text(json.dumps({"cells": cells}))
    monkeypatch.setattr(sources, "PACKAGE", tmp_path / "toy")
    sources.imported.cache_clear()
    yield tmp_path
    sources.imported.cache_clear()


def test_imports_are_followed_at_any_depth_and_settings_are_not_listed(package):
    plan = sources.Plan(package / "a.ipynb")
    assert sources.files(plan) == {
        "top.py", "middle.py", "room/low.py", "room/lazy.py", "figures/dots.py", "only_drawn.py", "under_settings.py",
    }  # fmt: skip


def test_modules_looked_up_by_name_are_followed_and_rooms_apart_are_not(package):
    plan = sources.Plan(package / "a.ipynb", (package / "toy" / "room" / "named.py",), ("figures",))
    assert sources.files(plan) == {
        "top.py", "middle.py", "room/low.py", "room/lazy.py", "room/named.py", "beside.py", "under_settings.py",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "changes"),
    [("toy/room/lazy.py", True), ("a.ipynb", True), ("toy/beside.py", False)]
    + [(f"toy/{name}", False) for name in ("study.py", "paths.py", "blocks/one.py")],
)
def test_a_list_changes_with_a_file_on_it_and_with_no_other(package, name, changes):
    plan = sources.Plan(package / "a.ipynb")
    before = sources.listing(plan)
    with (package / name).open("a") as file:
        file.write("\n")
    sources.imported.cache_clear()
    assert (sources.listing(plan) != before) == changes


def test_lists_that_no_plan_makes_are_removed(package):
    plan = sources.Plan(package / "a.ipynb")
    folder = sources.write(package / "lists", {"cell/one": plan, "cell/two": plan})
    sources.write(folder, {"cell/two": plan})
    assert [p.relative_to(folder).as_posix() for p in folder.rglob("*.*")] == ["cell/two.txt"]
    assert (folder / "cell" / "two.txt").read_text() == sources.listing(plan)


@pytest.mark.parametrize("name", ["prepare/wdbc", "train/flow", "impute/mice", "evaluate", "leak"])
def test_what_python_imports_for_a_cell_is_on_its_list(name):
    """The modules that a fresh interpreter holds after the imports of the notebook and of what it looks up."""
    plan = stages.plans(study.load(ROOT))[name]
    room = stages.STAGES[name.partition("/")[0]].by_name
    code = "\n".join(
        line
        for cell in json.loads(plan.start.read_text(encoding="utf-8"))["cells"]
        if cell["cell_type"] == "code"
        for line in "".join(cell["source"]).splitlines()
        if line.startswith(("import ", "from ")) and not any(f".{apart} import" in line for apart in plan.apart)
    )
    code += f"\nimport synthcohort.{room}.{name.partition('/')[2]}" if room else ""
    code += "\nimport sys; print(*[m.__file__ for n, m in sys.modules.items() if n.startswith('synthcohort.')])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    held = {Path(file).relative_to(sources.PACKAGE).as_posix() for file in ran.stdout.split() if file != "None"}
    held = {file for file in held if not file.endswith("__init__.py")}
    held = {file for file in held if file.split("/")[0] not in sources.SETTINGS}
    assert len(held) > 5 and held <= sources.files(plan)
