"""A page as a file: one file, nothing from elsewhere, no text of a run as code; in a browser."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.cli import commands as cli
from engine.core.change import Change
from engine.core.errors import InputError
from engine.core.params import build
from engine.core.registry import get
from engine.pages import writing
from engine.pages.subject import Subject, subject_of
from engine.run.spec import RunSpec

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
ADDRESSES = ("src", "href", "action", "poster", "srcset", "data", "background", "formaction")


def subject(experiment: str, **values: Any) -> Subject:
    params = build(get(experiment).parameters, values)
    return subject_of(RunSpec(experiment=experiment, params=params, steps=100))


class Reader(HTMLParser):
    """Collects what a page consists of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.handlers: list[str] = []
        self.tags: list[str] = []
        self.content: dict[str, list[str]] = {}
        self.policy = ""
        self._open = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._open = tag
        self.content.setdefault(tag, []).append("")
        for name, value in attrs:
            if name in ADDRESSES:
                self.addresses.append(str(value))
            if name.startswith("on") or name == "style":
                self.handlers.append(name)
        given = dict(attrs)
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policy = str(given["content"])

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open:
            self.content[self._open][-1] += data


def hash_of(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@pytest.mark.parametrize("experiment", ["scalar-product", "own-loss"])
def test_a_page_is_one_file_that_loads_nothing(experiment: str) -> None:
    text = writing.page_of(subject(experiment))
    page = Reader(text)
    assert page.addresses == [] and page.handlers == []
    assert "@import" not in text and "url(" not in text and "://" not in text
    assert not {"link", "iframe", "img", "object", "embed", "base", "form"} & set(page.tags)
    data, script = page.content["script"]
    assert page.policy == (
        f"default-src 'none'; style-src {hash_of(page.content['style'][0])}; "
        f"script-src {hash_of(script)}"
    )
    assert json.loads(data) == json.loads(json.dumps(dict(subject(experiment).setting)))
    for call in ("eval(", "Function(", "fetch(", "XMLHttpRequest", "import(", "document.write"):
        assert call not in script
    assert len(text.encode()) < 100_000


def test_a_function_is_not_part_of_the_code() -> None:
    """Its text stands in the block of JSON alone; the code has numbers and names of its own."""
    made = subject(
        "own-loss", function="(x*longestname - 2)^2", constants="longestname = 3 in 1..4"
    )
    page = Reader(writing.page_of(made))
    data, script = page.content["script"]
    assert "longestname" in data and "longestname" not in script


@settings(max_examples=40)
@given(st.text("<>/!-'\"&\\scriptSé\u2028"))
def test_no_text_ends_the_block_that_holds_it(text: str) -> None:
    text = f"</script>{text}"
    written = writing.in_html({"title": text})
    assert "<" not in written and ">" not in written and "&" not in written
    assert json.loads(written) == {"title": text}


def test_the_title_is_escaped() -> None:
    import dataclasses

    made = dataclasses.replace(subject("own-loss"), title="</title><script>alert(1)</script>'\"")
    page = Reader(writing.page_of(made))
    assert page.content["title"] == ["</title><script>alert(1)</script>'\""]
    assert page.tags.count("script") == 2


def test_the_command_writes_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "run.html"
    assert cli.main(["page", "scalar-product", "--set", "depth=2", "--out", str(path)]) == 0
    assert path.read_text("utf-8").startswith("<!DOCTYPE html>")
    assert cli.main(["page", "mnist", "--out", str(path)]) == 2
    assert cli.main(["page", "scalar-product", "--out", str(tmp_path / "run.pdf")]) == 2
    assert [each.name for each in tmp_path.iterdir()] == ["run.html"]
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_a_page_that_would_be_too_large_is_refused(tmp_path: Path) -> None:
    rows = tuple((0.123456789 * i, 1.0 / (i + 1)) for i in range(9000))
    made = subject("own-loss", function="w1*x1", minimise="least-squares", rows=rows)
    with pytest.raises(InputError, match="at most 300"):
        writing.write(made, tmp_path / "large.html")
    assert not list(tmp_path.iterdir())


def test_a_run_that_was_changed_is_made_with_its_last_settings() -> None:
    params = build(get("own-loss").parameters, {})
    run = RunSpec(experiment="own-loss", params=params, changes=(Change(5, {"step_size": 0.1}),))
    made = subject_of(run)
    assert made.law.setting.step_size == 0.1
    assert len(made.remarks) == 1


@pytest.mark.parametrize(("text", "kinks"), [("x^2 + relu(x)^2", True), ("x^2", False)])
def test_a_page_knows_whether_its_loss_has_kinks(text: str, kinks: bool) -> None:
    params = build(get("own-loss").parameters, {"function": text, "start": [1.0]})
    subject = subject_of(RunSpec(experiment="own-loss", params=params, seed=0, steps=5))
    assert subject.setting["kinks"] is kinks


def test_a_run_from_learned_parameters_begins_there() -> None:
    for experiment in ("own-loss", "scalar-product"):
        size = 2 if experiment == "own-loss" else 3
        weights = np.arange(1.0, size + 1.0)
        params = build(get(experiment).parameters, {})
        run = RunSpec(experiment=experiment, params=params, start={"weights": weights})
        assert subject_of(run).law.start.tolist() == weights.tolist()


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: the page's script runs in none here")
def test_a_browser_makes_the_steps_of_the_engine(tmp_path: Path) -> None:
    path, experiment = tmp_path / "page.html", get("own-loss")
    values = {"constants": "a = 2", "step_size": 0.1, "optimiser": "nesterov", "momentum": 0.5}
    function = "tanh(x*y) + (x*y - a)^2/2 + logcosh(x)"
    params = build(experiment.parameters, {"function": function, **values})
    writing.write(subject_of(RunSpec(experiment="own-loss", params=params, steps=100)), path)
    rows = [list(map(float, row)) for row in numbers_in_browser(path)]
    _, chunk = experiment.advance(experiment.init(params, 0), 100)
    exact = np.column_stack([chunk.low["weights"], chunk.low["loss"]])
    np.testing.assert_allclose(np.array(rows)[1:, 1:], exact, rtol=0, atol=1e-12)


def numbers_in_browser(path: Path) -> list[list[str]]:
    """Open a page in Chromium, without network, and return its table of numbers."""
    options = (
        "--headless --no-sandbox --disable-gpu --disable-background-networking --disable-sync "
        "--disable-component-update --no-first-run --virtual-time-budget=2000 --dump-dom"
    )
    command = [str(CHROMIUM), *options.split(), f"--user-data-dir={path.parent / 'profile'}"]
    made = subprocess.run(
        [*command, f"{path.as_uri()}#numbers"], capture_output=True, text=True, timeout=120
    )
    table = made.stdout.partition('<table id="table">')[2].partition("</table>")[0]
    rows = [row.split("</td><td>") for row in table.split("<tr>")]
    cells = [[cell.removeprefix("<td>").split("</td>")[0] for cell in row] for row in rows]
    return [row for row in cells if len(row) > 1]
