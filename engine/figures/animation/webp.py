"""Animated WebP, without loss."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

from PIL import Image

from engine.core.errors import InputError
from engine.figures.animation.reel import Reel
from engine.storage.files import FileError, atomic

EFFORT = 3
"""Time spent on a smaller file, from 0 to 6."""


def write_webp(path: Path, reel: Reel) -> None:
    """Write an animation that goes on from its beginning, the way it was made in its XMP.

    Raises
    ------
    InputError
        If this machine's Pillow writes no WebP.
    FileError
        If the file cannot be written.
    """
    if "WEBP" not in _formats():
        rule = "give a name that ends in .gif or .mp4, as Pillow writes no WebP here"
        raise InputError("animation", path.name, rule)
    with atomic(path) as file:
        try:
            _Film(reel).save(
                file,
                "WEBP",
                save_all=True,
                lossless=True,
                quality=50,
                method=EFFORT,
                duration=reel.durations(1000),
                loop=0,
                xmp=_xmp(reel).encode(),
            )
        except MemoryError:
            raise FileError(path, "written", "the memory of this machine is too small") from None


def _formats() -> set[str]:
    Image.init()
    return set(Image.SAVE_ALL)


class _Film(Image.Image):
    """An image of many pictures, made one by one as Pillow's writer seeks them."""

    def __init__(self, reel: Reel) -> None:
        super().__init__()
        self._pictures = reel.pictures
        self._mode = "RGB"
        self._size = reel.size
        self._number = -1
        self.n_frames = len(reel.lasting)
        self.seek(0)

    def seek(self, frame: int) -> None:
        """Make the next picture; the present one, or one that is gone, is no work."""
        if frame == self._number + 1:
            self._number = frame
            self.im = Image.fromarray(next(self._pictures)).im

    def tell(self) -> int:
        """Return the number of the picture."""
        return self._number


def _xmp(reel: Reel) -> str:
    """Return title and description as an XMP packet."""
    values = "".join(
        f'<dc:{name}><rdf:Alt><rdf:li xml:lang="x-default">{escape(text)}</rdf:li></rdf:Alt>'
        f"</dc:{name}>"
        for name, text in (("title", reel.title), ("description", reel.about))
    )
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"{values}</rdf:Description></rdf:RDF></x:xmpmeta>"
    )
