"""MP4 (H.264), encoded by the ffmpeg that imageio-ffmpeg brings, or else the system's."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from engine.core.errors import InputError
from engine.figures.animation.reel import Reel
from engine.storage.files import FileError, replacing

QUALITY = 18
"""Constant rate factor of x264: lines and letters stay sharp."""
_BT709 = "bt709"
_SPECIAL, _ESCAPED = re.compile(r"([=;#\\\n])"), r"\\\1"


def write_mp4(path: Path, reel: Reel) -> None:
    """Write a film, the way it was made in its metadata.

    Raises
    ------
    InputError
        If this machine has no ffmpeg.
    FileError
        If the file cannot be written, or ffmpeg ends early.
    """
    program = _program(path)
    with replacing(path) as temporary, tempfile.TemporaryDirectory() as folder:
        about = Path(folder) / "about.txt"
        about.write_text(_metadata(reel), "utf-8")
        with _ffmpeg([program, *_options(reel, about), str(temporary)], path) as pipe:
            for picture, frames in zip(reel.pictures, reel.lasting, strict=True):
                for _ in range(frames):
                    pipe.write(picture.data)


def _program(path: Path) -> str:
    """Return the path of ffmpeg: that of the package, else that of the system."""
    with contextlib.suppress(ImportError, RuntimeError, OSError):
        from imageio_ffmpeg import get_ffmpeg_exe

        return str(get_ffmpeg_exe())
    found = shutil.which("ffmpeg")
    if found is None:
        rule = "give a name that ends in .gif or .webp, as this machine has no ffmpeg"
        raise InputError("animation", path.name, rule)
    return found


def _options(reel: Reel, about: Path) -> list[str]:
    width, height = reel.size
    given = f"-f rawvideo -pix_fmt rgb24 -s {width}x{height} -r {reel.rate} -i -".split()
    made = (
        "-map 0:v -map_metadata 1 -c:v libx264 -preset veryfast -tune animation"
        f" -crf {QUALITY} -pix_fmt yuv420p -vf scale=out_color_matrix={_BT709}:out_range=tv"
        f" -colorspace {_BT709} -color_primaries {_BT709} -color_trc {_BT709}"
        " -movflags +faststart -f mp4"
    ).split()
    return [
        "-hide_banner",
        "-loglevel",
        "error",
        "-y",
        *given,
        "-f",
        "ffmetadata",
        "-i",
        str(about),
        *made,
    ]


def _metadata(reel: Reel) -> str:
    """Return title and comment in ffmpeg's own format."""
    pairs = {"title": reel.title, "comment": reel.about}
    lines = [f"{key}={_SPECIAL.sub(_ESCAPED, text)}" for key, text in pairs.items()]
    return "\n".join([";FFMETADATA1", *lines, ""])


@contextlib.contextmanager
def _ffmpeg(command: list[str], path: Path) -> Iterator[IO[bytes]]:
    """Start ffmpeg, and yield the pipe for the frames; at the end it has written all of its file.

    Raises
    ------
    FileError
        If it cannot be started, or ends in any other way.
    """
    with tempfile.TemporaryFile() as said:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=said,
                start_new_session=os.name == "posix",  # a terminal's Ctrl+C is not for it
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as error:
            raise FileError(path, "written", f"ffmpeg does not start: {error.strerror}") from None
        assert process.stdin is not None
        took_all = False
        try:
            with contextlib.suppress(BrokenPipeError):
                yield process.stdin
                process.stdin.close()
                took_all = True
            if process.wait() != 0 or not took_all:
                raise FileError(path, "written", _reason(said, process.returncode))
        finally:
            process.kill()
            with contextlib.suppress(OSError):
                process.stdin.close()
            process.wait()


def _reason(said: IO[bytes], status: int) -> str:
    """Return why ffmpeg ended, as the end of a sentence."""
    if status == -getattr(signal, "SIGXFSZ", 0):
        return os.strerror(errno.EFBIG)
    said.seek(0)
    lines = said.read().decode("utf-8", "replace").strip().splitlines()
    for words in (os.strerror(28), "No space left on device"):
        if any(words in line for line in lines):
            return words
    return (
        f"ffmpeg ended early ({lines[-1].strip().rstrip('.')[:120]})"
        if lines
        else ("ffmpeg ended early")
    )
