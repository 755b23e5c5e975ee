"""SVG and PDF files of a recorded figure.

Both formats measure in points and place text by the same outlines, so the two files show the same.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any

from matplotlib.backends import backend_pdf, backend_svg
from matplotlib.colors import rgb2hex
from matplotlib.font_manager import FontPath
from matplotlib.path import Path

from engine.figures.files.pixels import image_of
from engine.figures.files.record import PIXELS, POINTS, Call, Recorder
from engine.figures.files.typesetting import MOST, SIZE, Glyph, Line, typeset

_pdf: Any = backend_pdf  # they have no types
_svg: Any = backend_svg
_Svg: Any = backend_svg.RendererSVG
_Pdf: Any = backend_pdf.RendererPdf

_SLIGHT = 5e-4
"""Share of a letter's size that is no space."""
_TEXT = "draw_text"
"""Its caller turns y upside down for a renderer that measures it downwards."""


def svg(record: Recorder, about: Mapping[str, Any]) -> bytes:
    """Return the SVG file of a recorded figure, with metadata."""
    renderer = _SvgPage(record, about)
    for call in _with_images(record, renderer.new_gc):
        given = call.given if call.gc is None else (call.gc, *call.given)
        getattr(renderer, call.name)(*given, **call.options)
    renderer.finalize()
    return renderer.file.getvalue().encode()


def pdf(record: Recorder, about: Mapping[str, Any]) -> bytes:
    """Return the PDF file of a recorded figure, with metadata."""
    content = io.BytesIO()
    file = _pdf.PdfFile(content, metadata=about)
    try:
        width, height = record.width / POINTS, record.height / POINTS
        file.newPage(width, height)
        renderer = _PdfPage(file, record.image_dpi, height, width)
        for call in _with_images(record, renderer.new_gc):
            if call.gc is None:
                continue
            gc, given = renderer.new_gc(), call.given
            gc.copy_properties(call.gc)
            if call.name == _TEXT:
                given = (given[0], record.height - given[1], *given[2:])
            getattr(renderer, call.name)(gc, *given, **call.options)
            gc.restore()
        renderer.finalize()
        file.finalize()
        return content.getvalue()
    finally:
        file.close()


def _with_images(record: Recorder, new_gc: Callable[[], Any]) -> Iterable[Call]:
    """Yield the calls of a record, those that are to be pixels as an image."""
    for call in record.calls:
        if call.name != PIXELS:
            yield call
            continue
        image = image_of(record, call.inside)
        if image is not None:
            pixels, left, low = image
            yield Call("draw_image", new_gc(), (left, low, pixels), {})


class _SvgPage(_Svg):  # type: ignore[misc]  # matplotlib has no types
    """Writes an SVG file as matplotlib does, with lines of text that are typeset already."""

    def __init__(self, record: Recorder, about: Mapping[str, Any]) -> None:
        self.file = io.StringIO()
        super().__init__(
            record.width, record.height, self.file, image_dpi=record.image_dpi, metadata=about
        )

    def _draw_text_as_path(
        self,
        gc: Any,
        x: float,
        y: float,
        s: str,
        prop: Any,
        angle: float,
        ismath: bool,
        mtext: Any = None,
    ) -> None:
        line, writer = typeset(s, prop, ismath, mtext), self.writer
        color, opacity = rgb2hex(gc.get_rgb()), gc.get_rgb()[3]
        style = {} if color == "#000000" else {"fill": color}
        if gc.get_forced_alpha():
            opacity = gc.get_alpha()
        if opacity != 1:
            style["opacity"] = _svg._short_float_fmt(opacity)
        size = prop.get_size_in_points() / SIZE
        place = [("translate", (x, y)), ("rotate", (-angle,)), ("scale", (size, -size))]
        writer.comment(s)
        depth = writer.start(
            "g", style=_svg._generate_css(style), transform=_svg._generate_transform(place)
        )
        known = self._glyph_map
        self._update_glyph_map_defs(
            {glyph.name: glyph.outline for glyph in line.glyphs if glyph.name not in known}
        )
        self._use(line, " " * (depth + 1))
        for left, low, width, height in line.boxes:
            right, high = left + width, low + height
            corners = [(left, low), (left, high), (right, high), (right, low), (left, low), (0, 0)]
            codes = [Path.MOVETO, *[Path.LINETO] * 4, Path.CLOSEPOLY]
            writer.element("path", d=self._convert_path(Path(corners, codes), simplify=False))
        writer.end("g")

    def _use(self, line: Line, indent: str) -> None:
        """Write where the letters of a line are; with the first one the open tag before it ends."""
        for number, (name, place) in enumerate(_uses(line)):
            if number:
                placed = f' transform="{place}"' if place else ""
                self.file.write(f'{indent}<use xlink:href="#{name}"{placed}/>\n')
            else:
                self.writer.element("use", attrib={"xlink:href": f"#{name}"}, transform=place)


class _PdfPage(_Pdf):  # type: ignore[misc]
    """Writes a PDF page as matplotlib does, with lines of text that are typeset already."""

    def draw_text(
        self,
        gc: Any,
        x: float,
        y: float,
        s: str,
        prop: Any,
        angle: float,
        ismath: bool = False,
        mtext: Any = None,
    ) -> None:
        """Write a line of text."""
        line, size = typeset(s, prop, ismath, mtext), prop.get_size_in_points()
        self.check_gc(gc, gc.get_rgb())
        turn = math.radians(angle)
        turned = (math.cos(turn), math.sin(turn), -math.sin(turn), math.cos(turn), x, y)
        out = [b"q " + _numbers(*turned) + b" cm", b"BT"]
        out += self._placed(line, size) if ismath else self._in_one(line, size)
        out.append(b"ET")
        out += [
            b"q " + _numbers(*(size / SIZE * length for length in box)) + b" re f Q"
            for box in line.boxes
        ]
        self.file.write(b"\n".join(out) + b"\nQ\n")

    def _placed(self, line: Line, size: float) -> Iterator[bytes]:
        """Yield what shows letters, each at its place."""
        former, last = (0.0, 0.0), (b"", 0.0)
        for glyph in line.glyphs:
            font, code = self._code(glyph)
            place = (glyph.x * size / SIZE, glyph.y * size / SIZE)
            yield _numbers(place[0] - former[0], place[1] - former[1]) + b" Td"
            former = place
            if last != (font, glyph.scale):
                last = (font, glyph.scale)
                yield font + b" " + _numbers(size * glyph.scale) + b" Tf"
            yield _pdf.pdfRepr(code) + b" Tj"

    def _in_one(self, line: Line, size: float) -> Iterator[bytes]:
        """Yield what shows the letters of each font together, kerned."""
        former, last = 0.0, b""
        shown: list[bytes | float] = []
        for glyph in line.glyphs:
            font, code = self._code(glyph)
            if font != last:
                yield from _shown(shown)
                place = glyph.x * size / SIZE
                yield font + b" " + _numbers(size) + b" Tf"
                yield _numbers(place - former, 0.0) + b" Td"
                last, former, shown = font, place, []
            elif abs(glyph.kern) > _SLIGHT * SIZE:
                shown.append(-1000 * glyph.kern / SIZE)
            if glyph.y:
                yield from _shown(shown)
                yield _numbers(glyph.y * size / SIZE) + b" Ts"
                yield from _shown([code])
                yield b"0 Ts"
                shown = []
            else:
                shown.append(code)
        yield from _shown(shown)

    def _code(self, glyph: Glyph) -> tuple[bytes, bytes]:
        """Return the font and the code of a letter in this file."""
        font = glyph.font
        subset, code = self.file._character_tracker.track_glyph(
            font, glyph.characters, glyph.number
        )
        name = self.file.fontName(FontPath(font.fname, font.face_index), subset)
        return _pdf.pdfRepr(name), code.to_bytes(2, "big")


def _shown(parts: Sequence[bytes | float]) -> Iterator[bytes]:
    """Yield what shows letters, given by their codes, with space taken away between them."""
    words: list[bytes] = []
    for is_code, group in groupby(parts, lambda part: isinstance(part, bytes)):
        if is_code:
            words.append(_pdf.pdfRepr(b"".join(part for part in group if isinstance(part, bytes))))
        else:
            words += [_numbers(part) for part in group if isinstance(part, float)]
    if words:
        yield b"[" + b" ".join(words) + b"] TJ"


def _numbers(*values: float) -> bytes:
    """Return numbers of a PDF file, to a ten-thousandth of a point."""
    return " ".join(f"{value:.4f}".rstrip("0").rstrip(".") for value in values).encode()


@lru_cache(MOST)
def _uses(line: Line) -> tuple[tuple[str, str], ...]:
    """Return the name of each letter of a line and the attribute that places it, for SVG files."""
    return tuple(
        (
            glyph.name,
            _svg._generate_transform(
                [("translate", (glyph.x, glyph.y)), ("scale", (glyph.scale,))]
            ),
        )
        for glyph in line.glyphs
    )
