r"""A study: what a publication states, the runs that test it, and the numbers to compare.

Studies are TOML files: those of the paper in ``resources/reproduce``, those of later literature in
``resources/atlas``. A new one needs no code::

    id = "period-two"                     # the name of the file
    title = "A 2-cycle beyond the bound"
    section = "Section 2, Proposition 1"
    says = "Above $\\delta_{\\max}$ the descent cannot converge."
    assumptions = ["gradient descent with a fixed step size"]

    [[run]]
    name = "above"                        # the result of run.json is known by this name
    experiment = "scalar-product"
    preset = "period-2"
    pictures = ["weights"]                # ids of views

    [[check]]
    what = "the run above the bound converges to no minimum"
    value = "above.outcome.kind"          # a path into the results
    equals = "oscillating"

Names in a path are keys; in a list they are the id of an item, or its number from 0.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from engine.core.errors import InputError
from engine.storage.documents import Document

Name = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
Line = Annotated[str, Field(min_length=1, max_length=300)]
Text = Annotated[str, Field(max_length=4000)]
Path = Annotated[str, Field(min_length=1, max_length=200)]
Verdicts = Literal["", "holds", "violated", "does not apply", "undecided"]

_NAME = "give small letters, digits and hyphens"
_LINE = "give one line of at most 300 characters"
_TEXT = "give a text of at most 4000 characters"
_NUMBER = "give a finite number"
_PATH = "give a path such as run.final.error"


class RunPlan(Document):
    """A run of an experiment: a preset or the defaults, with some parameters changed."""

    name: Name = Field("run", description=_NAME)
    title: Text = Field("", description=_TEXT)
    experiment: Name = Field(description="give the id of an experiment")
    preset: str = Field("", max_length=60, description="give the id of one of its presets")
    seed: int | None = Field(None, ge=0, lt=2**63, description="give a whole number from 0")
    steps: int | None = Field(None, ge=0, le=10**9, description="give a whole number from 0")
    quick_steps: int | None = Field(None, ge=0, le=10**9, description="give a whole number from 0")
    params: dict[str, Any] = Field({}, description="give a table of names and values")
    quick_params: dict[str, Any] = Field({}, description="give a table of names and values")
    ensemble: bool = Field(False, description="give true or false")
    """Whether the ensemble is made, too, where the parameters ask for one."""
    claims: tuple[str, ...] = Field((), description="give a list of ids of claims")
    """Claims of the experiment that the report shows with their assumptions."""
    pictures: tuple[str, ...] = Field((), max_length=8, description="give a list of ids of views")
    caption: Text = Field("", description=_TEXT)
    from_data: bool = Field(False, description="give true or false")
    """Whether it is made only of the data that were asked for (MNIST)."""
    seconds: float = Field(0.0, ge=0, le=1e7, description="give seconds >= 0")
    """About how long such a run takes on one quiet core, beside what its study takes without."""
    quick_seconds: float = Field(0.0, ge=0, le=1e7, description="give seconds >= 0")
    """The same in a quick report."""


class Computation(Document):
    """A number or a table of numbers that is no run, by one of `engine.reproduce.measures`."""

    name: Name = Field(description=_NAME)
    function: Name = Field(description="give the name of a measure")
    arguments: dict[str, Any] = Field({}, description="give a table of names and values")
    quick_arguments: dict[str, Any] = Field({}, description="give a table of names and values")
    full_only: bool = Field(False, description="give true or false")
    """Whether it is left out of a quick report; so are the checks of what it finds."""


class Quantity(Document):
    """A number computed from measured ones by a formula of sums, products and powers."""

    name: Name = Field(description=_NAME)
    formula: Line = Field(description="give a formula such as 2/delta - S")
    of: dict[str, str] = Field({}, description="give a table of names and paths")


class Check(Document):
    """A value, and what it is compared with.

    `of` says whose statement is tested: that of the publication as printed, the corrected one, or a
    number that was measured by other code and is on record.
    """

    what: Line = Field(description=_LINE)
    of: Literal["paper", "corrected", "reference"] = Field(
        "paper", description="give one of paper, corrected, reference"
    )
    value: str = Field("", max_length=200, description=_PATH)
    expected: float | str | None = Field(None, description="give a number or a formula")
    tolerance: float | None = Field(None, ge=0, description="give a number >= 0")
    relative: float | None = Field(None, ge=0, description="give a number >= 0")
    at_least: float | None = Field(None, description=_NUMBER)
    at_most: float | None = Field(None, description=_NUMBER)
    equals: str | int | bool | None = Field(None, description="give a text, number, true or false")
    differs: str | int | bool | None = Field(None, description="give a text, number, true or false")
    rows: tuple[tuple[str, Path, float], ...] = Field(
        (), max_length=200, description="give rows of a label, a path and a number"
    )
    full_only: bool = Field(False, description="give true or false")
    """Whether it is left out of a quick report, whose runs are too short for it."""

    @model_validator(mode="after")
    def _compares_something(self) -> Self:
        """Refuse a check that compares nothing, or in two ways."""
        ways = [
            self.expected is not None or bool(self.rows),
            self.at_least is not None or self.at_most is not None,
            self.equals is not None,
            self.differs is not None,
        ]
        if sum(ways) != 1:
            rule = "give either expected, rows, at_least or at_most, equals, or differs"
            raise InputError("check", self.what, rule)
        if bool(self.value) == bool(self.rows):
            raise InputError("check", self.what, "give either a value or rows")
        if ways[0] and (self.tolerance is None) == (self.relative is None):
            raise InputError("check", self.what, "give either a tolerance or relative")
        return self


class Expectation(Document):
    """The verdicts on record: of the statement as printed, and as corrected."""

    printed: Verdicts = Field("", description="give holds, violated, does not apply or undecided")
    corrected: Verdicts = Field("", description="give holds, violated, does not apply or undecided")


class Study(Document):
    """What a publication states, and how it is tested."""

    id: Name = Field(description=_NAME)
    title: Line = Field(description=_LINE)
    order: int = Field(0, description="give a whole number")
    section: Line = Field(description=_LINE)
    """Where it is stated: a section, page or equation."""
    citation: Text = Field("", description=_TEXT)
    """Authors, year, title and number; empty for the paper itself."""
    wording: Literal["stated", "recomputed"] = Field(
        "stated", description="give stated or recomputed"
    )
    """Whether `says` renders a passage that was read, or only a formula known of the work."""
    says: Text = Field(min_length=1, description=_TEXT)
    assumptions: tuple[Line, ...] = Field((), max_length=20, description="give a list of lines")
    corrected: Text = Field("", description=_TEXT)
    note: Text = Field("", description=_TEXT)
    expect: Expectation = Field(Expectation(), description="give a table of verdicts")
    seconds: float = Field(2.0, gt=0, le=1e6, description="give a number of seconds > 0")
    """About how long it takes on one quiet core in a quick report, for the time left."""
    full_seconds: float | None = Field(None, gt=0, le=1e7, description="give seconds > 0")
    needs: tuple[str, ...] = Field((), description="give a list of names of packages")
    run: tuple[RunPlan, ...] = Field((), max_length=40, description="give a list of tables")
    compute: tuple[Computation, ...] = Field((), max_length=40, description="give a list of tables")
    quantity: tuple[Quantity, ...] = Field((), max_length=40, description="give a list of tables")
    check: tuple[Check, ...] = Field(
        min_length=1, max_length=100, description="give a list of one table or more"
    )

    @property
    def place(self) -> str:
        """The publication and where in it, or the place alone for the paper itself."""
        return f"{self.citation}, {self.section}" if self.citation else self.section

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        """Refuse two results of one name, and a path that begins with no name."""
        names = [each.name for part in (self.run, self.compute, self.quantity) for each in part]
        for name in names:
            if names.count(name) > 1:
                raise InputError("name", name, "give every run, computation and quantity its own")
        paths = [path for each in self.quantity for path in each.of.values()]
        for check in self.check:
            paths += [check.value] if check.value else [path for _, path, _ in check.rows]
        for path in paths:
            if path.partition(".")[0] not in names:
                raise InputError("path", path, f"begin with one of {', '.join(names) or 'none'}")
        return self
