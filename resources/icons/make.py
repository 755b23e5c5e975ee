"""Draws the PNG, ICO and ICNS files of the icon from its SVG: python resources/icons/make.py."""

from __future__ import annotations

import io
import os
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PIL import Image
from PySide6.QtCore import QBuffer, QByteArray, QIODevice, Qt
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

FOLDER = Path(__file__).resolve().parent
SIZES = (16, 24, 32, 48, 64, 128, 256, 512)


def draw(renderer: QSvgRenderer, size: int) -> Image.Image:
    """Draw the icon at a size in pixels."""
    image = QImage(size, size, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    renderer.render(painter)
    painter.end()
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    return Image.open(io.BytesIO(data.data())).convert("RGBA")


def main() -> None:
    """Write all files beside the SVG."""
    app = QGuiApplication([])
    renderer = QSvgRenderer(str(FOLDER / "lyapunov-lab.svg"))
    images = {size: draw(renderer, size) for size in SIZES}
    for size in (32, 64, 128, 256, 512):
        images[size].save(FOLDER / f"lyapunov-lab-{size}.png", optimize=True)
    largest = images[256]
    others = [images[size] for size in SIZES if size < 256]
    sizes = [(size, size) for size in SIZES if size <= 256]
    largest.save(FOLDER / "lyapunov-lab.ico", sizes=sizes, append_images=others)
    images[512].save(FOLDER / "lyapunov-lab.icns", append_images=list(images.values()))
    del renderer
    app.quit()


if __name__ == "__main__":
    main()
