"""What a compiled kernel is keyed by: its module and what that one imports, and no other."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.kernels import sources
from engine.kernels.sources import Sources, scan

ROOT = Path(__file__).resolve().parents[3]
KERNELS = sorted(
    path for path in (ROOT / "engine" / "kernels").rglob("*.py") if path.name != "__init__.py"
)

FILES = {
    "__init__": "",
    "kernels/__init__": "",
    "kernels/fast": "from engine.kernels.near import half, Kind\n\n\ndef run(x): return half(x)\n",
    "kernels/near": "from engine.kernels import far\n\n\ndef half(x): return far.third(x)\n",
    "kernels/far": "def third(x):\n    '''Return a third.'''\n    return x / 3\n",
    "kernels/other": "import engine.kernels.far\n",
    "kernels/cache": "import engine.kernels.other\n",
}


@pytest.fixture
def package(tmp_path):
    return written(tmp_path)


def written(tmp_path):
    for name, text in FILES.items():
        path = tmp_path / "engine" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return tmp_path


def stamp(root, name="fast"):
    return Sources(root).stamp(root / "engine" / "kernels" / f"{name}.py")


def edit(root, name, text):
    (root / "engine" / "kernels" / f"{name}.py").write_text(text, "utf-8")


@pytest.mark.parametrize("name", ["fast", "near", "far", "__init__"])
def test_a_change_in_a_module_that_is_imported_counts(package, name):
    before = stamp(package)
    edit(package, name, FILES[f"kernels/{name}"] + "ADDED = 1\n")
    assert stamp(package) != before


@pytest.mark.parametrize("name", ["other", "cache", "new"])
def test_a_change_in_any_other_does_not(package, name):
    before = stamp(package)
    edit(package, name, "ADDED = 1\n")
    assert stamp(package) == before


@pytest.mark.parametrize(
    "text",
    [
        "def third(x):\n    return x / 3\n",
        "# a comment\n\n\ndef third(x):  # another\n    '''Divide by three.'''\n    return x / 3\n",
        "'''A module.'''\n\n\ndef third(x): return x / 3\n",
    ],
)
def test_comments_docstrings_and_lines_do_not_count(package, text):
    before = stamp(package)
    edit(package, "far", text)
    assert stamp(package) == before


def test_modules_that_import_each_other_are_read_once(package):
    edit(package, "far", "import engine.kernels.fast\n")
    assert set(Sources(package).closure(package / "engine" / "kernels" / "fast.py")) == {
        "",
        "engine",
        "engine.kernels",
        "engine.kernels.near",
        "engine.kernels.far",
        "engine.kernels.fast",
    }


def test_a_module_without_source_counts_by_the_version(package, monkeypatch):
    edit(package, "far", "from engine.absent.numbers import THREE\n")
    before = stamp(package)
    monkeypatch.setattr(sources, "VERSION", "another")
    assert stamp(package) != before


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("from engine.kernels import far", "engine.kernels.far"),
        ("from engine.kernels.far import third as other", "engine.kernels.far"),
        ("import engine.kernels.far as there", "engine.kernels.far"),
        ("from . import far", "engine.kernels.far"),
        ("from .far import third", "engine.kernels.far"),
        ("from ..core import arrays", "engine.core.arrays"),
        ("def f():\n    import engine.kernels.far", "engine.kernels.far"),
        ("try:\n    pass\nexcept OSError:\n    import engine.kernels.far", "engine.kernels.far"),
        ("match 1:\n    case 1:\n        import engine.kernels.far", "engine.kernels.far"),
        ("if True:\n    pass\nelse:\n    import engine.kernels.far", "engine.kernels.far"),
        ("with f():\n    import engine.kernels.far", "engine.kernels.far"),
    ],
)
def test_an_import_is_found_in_each_of_its_forms(statement, name):
    assert name in scan(statement.encode(), ("engine", "kernels")).imports


@pytest.mark.parametrize(
    "statement",
    [
        "import numpy",
        "from numba.core import types",
        "if TYPE_CHECKING:\n    import engine.kernels.far",
        "if typing.TYPE_CHECKING:\n    import engine.kernels.far",
    ],
)
def test_what_comes_from_outside_and_types_do_not_count(statement):
    assert scan(statement.encode(), ("engine", "kernels")).imports == ()


def test_a_file_is_parsed_once_for_each_of_its_states(package):
    path = package / "engine" / "kernels" / "fast.py"
    first = Sources(package)
    before = first.stamp(path)
    assert first.parsed == 5
    second = Sources(package)
    second.recall(first.noted())
    assert (second.stamp(path), second.parsed) == (before, 0)
    edit(package, "far", "def third(x): return x / 3.0\n")
    third = Sources(package)
    third.recall(first.noted())
    assert third.stamp(path) == stamp(package) != before
    assert third.parsed == 1


@pytest.fixture(scope="module")
def noted(tmp_path_factory):
    root = written(tmp_path_factory.mktemp("noted"))
    path = root / "engine" / "kernels" / "fast.py"
    known = Sources(root)
    return root, path, known.stamp(path), known.noted()


@given(data=st.data())
def test_notes_that_are_damaged_say_nothing(noted, data):
    root, path, whole, notes = noted
    damaged = data.draw(
        st.one_of(
            st.integers(0, len(notes)).map(lambda end: notes[:end]),
            st.text(),
            st.recursive(
                st.none() | st.booleans() | st.floats() | st.text(),
                lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside),
            ).map(json.dumps),
        )
    )
    again = Sources(root)
    again.recall(damaged)
    assert again.stamp(path) == whole


LOADED = """
import importlib, json, sys
found = {}
for name in sys.argv[1:]:
    for loaded in [each for each in sys.modules if each.split(".")[0] == "engine"]:
        del sys.modules[loaded]
    importlib.import_module(name)
    found[name] = [each for each in sys.modules if each.split(".")[0] == "engine"]
print(json.dumps(found))
"""


def test_all_that_python_loads_for_a_module_of_kernels_counts():
    """No import is overlooked: what counts is what a fresh interpreter has loaded."""
    names = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in KERNELS}
    counted = {name: {name, *Sources().closure(path)} for name, path in names.items()}
    inner = {name for one, all_ in counted.items() for name in all_ - {one}}
    ends = counted.keys() - inner - sources.STORAGE_ONLY  # what nothing else imports
    assert "engine.kernels.scalar.descent" in ends
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *sorted(ends)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name, loaded in json.loads(done.stdout).items():
        through_storage = {"engine.core", "engine.core.versions"}
        assert set(loaded) - sources.STORAGE_ONLY - through_storage <= counted[name]
