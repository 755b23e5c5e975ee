"""Files of animations: what is in them, with any number of workers, and what a failure leaves."""

from __future__ import annotations

import errno
import hashlib
import multiprocessing
import os
import re
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageSequence

import engine.experiments  # noqa: F401  registers the experiments
from engine.core.errors import InputError, LabError
from engine.core.params import build
from engine.core.registry import get
from engine.figures.animation import gif, mp4
from engine.figures.animation.crew import Crew
from engine.figures.animation.film import Film, Span, Sweep, film, views_named
from engine.figures.animation.making import encode, make
from engine.figures.animation.reel import Reel
from engine.figures.steady import shared
from engine.run.spec import RunSpec
from engine.storage import runfile
from tests.engine.figures.animation.conftest import MakeFilm

SIZE = (96, 64)


def go_on(done: float, text: str) -> bool:
    return True


def reel(count: int = 4, seed: int = 0, rate: int = 10) -> Reel:
    """Return pictures of which each differs from the one before in a few places."""
    numbers = np.random.default_rng(seed)
    picture = np.full((SIZE[1], SIZE[0], 3), 255, np.uint8)
    pictures = []
    for _ in range(count):
        picture = picture.copy()
        top, left = numbers.integers(0, SIZE[1] - 8), numbers.integers(0, SIZE[0] - 8)
        picture[top : top + 6, left : left + 5] = numbers.integers(0, 256, 3)
        pictures.append(picture)
    lasting = numbers.integers(1, 4, count).tolist()
    return Reel(
        size=SIZE,
        rate=rate,
        lasting=lasting,
        title="A = title; # of this",
        about="a = 'b'\nc = \"ü\" # \\ ;\n",
        pictures=iter(pictures),
    )


@given(seed=st.integers(0, 10**6), count=st.integers(1, 5))
@settings(max_examples=10, deadline=None)
def test_gif_and_webp_hold_the_pictures(
    tmp_path_factory: pytest.TempPathFactory, seed: int, count: int
) -> None:
    folder = tmp_path_factory.mktemp("reel")
    expected = list(reel(count, seed).pictures)
    lasting = reel(count, seed).lasting
    for name in ("a.gif", "a.webp"):
        encode(folder / name, reel(count, seed))
        with Image.open(folder / name) as image:
            found = [
                (np.asarray(frame.convert("RGB")), frame.info.get("duration", 0))
                for frame in ImageSequence.Iterator(image)
            ]
        if name == "a.gif" or len(found) == count:
            assert len(found) == count
            for (pixels, duration), picture, frames in zip(found, expected, lasting, strict=True):
                np.testing.assert_array_equal(pixels, picture)
                assert duration == 100 * frames or count == 1


def test_a_gif_of_many_colours_is_close(tmp_path: Path) -> None:
    smooth = np.linspace(0, 255, SIZE[0] * SIZE[1] * 3).reshape(SIZE[1], SIZE[0], 3)
    pictures = [smooth.astype(np.uint8), (255 - smooth).astype(np.uint8)]
    made = Reel(size=SIZE, rate=10, lasting=[1, 1], title="", about="", pictures=iter(pictures))
    gif.write_gif(tmp_path / "a.gif", made)
    with Image.open(tmp_path / "a.gif") as image:
        for frame, picture in zip(ImageSequence.Iterator(image), pictures, strict=True):
            assert np.abs(np.asarray(frame.convert("RGB")).astype(int) - picture).max() < 16


def test_the_way_it_was_made_is_in_every_format(tmp_path: Path) -> None:
    encode(tmp_path / "a.gif", reel())
    with Image.open(tmp_path / "a.gif") as image:
        assert reel().about in bytes(image.info["comment"]).decode()
    encode(tmp_path / "a.webp", reel())
    with Image.open(tmp_path / "a.webp") as image:
        assert 'c = "ü" # \\ ;' in image.info["xmp"].decode()
    encode(tmp_path / "a.mp4", reel())
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", tmp_path / "a.mp4"]
    done = subprocess.run([*command, "-f", "ffmetadata", "-"], capture_output=True, check=True)
    text = re.sub(r"\\(.)", r"\1", done.stdout.decode().replace("\\\n", "\n"))
    assert reel().title in text and reel().about.rstrip() in text


def test_an_mp4_has_all_its_frames(tmp_path: Path) -> None:
    encode(tmp_path / "a.mp4", reel(6))
    count, seconds = imageio_ffmpeg.count_frames_and_secs(str(tmp_path / "a.mp4"))
    assert count == sum(reel(6).lasting)
    assert seconds == pytest.approx(count / 10, abs=0.05)


def hashes(made: Film, workers: int) -> list[str]:
    with Crew(made, workers) as crew:
        steady = shared(list(crew.extents(lambda: True)))
        found = [
            hashlib.sha256(picture.tobytes()).hexdigest()
            for picture in crew.pictures(steady, lambda: True)
        ]
    assert not multiprocessing.active_children()
    return found


def scalar(course: Span | Sweep, *names: str) -> Film:
    experiment = get("scalar-product")
    run = RunSpec(experiment=experiment.id, params=build(experiment.parameters, {}), steps=12)
    return film(run, views_named(run, names), course, size=(320, 200), rate=5, seconds=1.0)


@pytest.mark.slow
@pytest.mark.parametrize("course", [Span(0, 12), Sweep("step_size", 0.2, 0.3)])
def test_pictures_do_not_depend_on_the_workers(course: Span | Sweep) -> None:
    made = scalar(course, "weights", "cobweb")
    alone = hashes(made, 0)
    assert alone == hashes(made, 2)
    assert len(set(alone)) == len(made.shots)


@pytest.mark.slow
def test_what_a_lost_worker_leaves_is_drawn_here() -> None:
    made = scalar(Span(0, 12), "weights")
    alone = hashes(made, 0)
    with Crew(made, 2) as crew:
        steady = shared(list(crew.extents(lambda: True)))
        found = []
        for picture in crew.pictures(steady, lambda: True):
            found.append(hashlib.sha256(picture.tobytes()).hexdigest())
            for process in multiprocessing.active_children():
                process.kill()
    assert found == alone


@pytest.mark.parametrize("name", ["a.mp4", "a.gif", "a.webp"])
@pytest.mark.parametrize("after", [0, 3, 8])
def test_a_cancel_leaves_nothing(
    make_film: MakeFilm, tmp_path: Path, name: str, after: int
) -> None:
    told: list[float] = []

    def progress(done: float, text: str) -> bool:
        told.append(done)
        return len(told) <= after

    assert not make(make_film(Span(0, 20), "weights"), tmp_path / name, progress, workers=0)
    assert list(tmp_path.iterdir()) == []
    assert told == sorted(told)


def test_an_older_file_stays_when_a_new_one_fails(make_film: MakeFilm, tmp_path: Path) -> None:
    (tmp_path / "a.gif").write_bytes(b"old")
    assert not make(make_film(), tmp_path / "a.gif", lambda done, text: False, workers=0)
    assert (tmp_path / "a.gif").read_bytes() == b"old"


@pytest.mark.skipif(os.name != "posix", reason="a script stands for ffmpeg")
@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("exit 1", "ffmpeg ended early"),
        ("head -c 100 >/dev/null; echo 'Unknown encoder x' >&2; exit 8", "Unknown encoder x"),
        (
            "cat >/dev/null; echo 'x: No space left on device' >&2; exit 1",
            "No space left",
        ),
        ("kill -9 $$", "ffmpeg ended early"),
        ("head -c 100 >/dev/null; exit 0", "ffmpeg ended early"),
    ],
)
def test_an_encoder_that_ends_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, words: str
) -> None:
    program, out = tmp_path / "ffmpeg", tmp_path / "out"
    out.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", lambda: str(program))
    with pytest.raises(LabError) as failed:
        encode(out / "a.mp4", reel(50))
    sentence = str(failed.value)
    assert words in sentence and "\n" not in sentence and sentence.startswith("a.mp4 could not")
    assert list(out.iterdir()) == []


@pytest.fixture
def small_files() -> Iterator[None]:
    """Let this process and those that it starts write no file beyond 4096 bytes."""
    resource = pytest.importorskip("resource", reason="limits of files are those of POSIX")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("name", ["a.mp4", "a.gif", "a.webp"])
def test_a_file_that_may_not_grow_is_one_sentence(
    tmp_path: Path, small_files: None, name: str
) -> None:
    with pytest.raises(LabError) as failed:
        encode(tmp_path / name, reel(50))
    assert str(failed.value) == f"{name} could not be written: {os.strerror(errno.EFBIG)}."
    assert list(tmp_path.iterdir()) == []


def test_a_machine_without_ffmpeg_says_what_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent() -> str:
        raise RuntimeError("No ffmpeg exe could be found.")

    monkeypatch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", absent)
    monkeypatch.setattr(mp4.shutil, "which", lambda name: None)
    with pytest.raises(InputError, match=r"\.gif or \.webp"):
        encode(tmp_path / "a.mp4", reel())


@pytest.mark.parametrize("name", ["a.mp4", "a.gif", "a.webp"])
def test_a_folder_that_takes_nothing(make_film: MakeFilm, tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LabError) as failed:
        make(make_film(), tmp_path / "file" / name, go_on, workers=0)
    assert "\n" not in str(failed.value)


def test_a_film_is_made_of_every_kind_of_view(make_film: MakeFilm, tmp_path: Path) -> None:
    made = make_film(Sweep("step_size", 0.3, 0.6), seconds=0.4)
    assert make(made, tmp_path / "a.gif", go_on, workers=0)
    with Image.open(tmp_path / "a.gif") as image:
        assert image.size == made.size and image.n_frames == 2
        comment = bytes(image.info["comment"]).decode()
    assert runfile.loads(comment.partition("\n")[2]) == made.run
