"""What a sentence about a refused value shows of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import LONGEST_VALUE, InputError, shown

TEXTS = st.text(st.characters(codec="ascii", exclude_characters="'\"\\"), max_size=300)


@given(TEXTS)
def test_a_value_is_shown_at_most_so_long(text: str) -> None:
    assert len(shown(text)) <= LONGEST_VALUE
    if len(repr(text)) <= LONGEST_VALUE:
        assert shown(text) == repr(text)


@given(st.lists(st.text("abcdefgh_", min_size=1, max_size=40), max_size=20), st.booleans())
def test_the_file_at_the_end_of_a_long_path_is_named(folders: list[str], relative: bool) -> None:
    path = "/".join([*([] if relative else [""]), *folders, "run.toml"])
    sentence = str(InputError("RUN", path, "give the name of a file that exists"))
    assert "run.toml' is not allowed; give the name of a file that exists." in sentence
