"""Images on paper that keep thin lines where there are fewer pixels than cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.image import AxesImage
from numpy.typing import NDArray

from engine.core.blocks import largest_in_blocks
from engine.figures.formats import DPI

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class FineImage(AxesImage):
    """An image reduced to the pixels of the page by maximum, whatever the resolution.

    Of colours with an opacity the most opaque counts, then the darkest.
    """

    _A: Any

    def make_image(
        self, renderer: Any, magnification: float = 1.0, unsampled: bool = False
    ) -> tuple[Any, float, float, Any]:
        """Return the pixels and their place, see `matplotlib.image.AxesImage`."""
        full = self._A
        left, right, low, high = self.get_extent()
        ends = self.get_transform().transform([[left, low], [right, high]])
        page = self.axes.get_figure(root=True)
        scale = max(1.0, DPI / page.dpi) if unsampled and page else magnification
        columns, rows = (int(side) for side in np.abs(ends[1] - ends[0]) * scale)
        try:
            self._A = _reduced(full, rows, columns)
            return super().make_image(renderer, magnification, unsampled)
        finally:
            self._A = full


def _reduced(image: Any, rows: int, columns: int) -> Any:
    if image.shape[0] <= rows and image.shape[1] <= columns:
        return image
    if image.ndim == 2:
        numbers = np.ma.filled(np.ma.asarray(image, np.float64), np.nan)
        return np.ma.masked_invalid(largest_in_blocks(numbers, rows, columns))
    return _opaque(largest_in_blocks(_ranked(image), rows, columns))


def _ranked(rgba: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Return one number a pixel that is the larger the more opaque, then the darker it is."""
    parts = np.asarray(rgba, np.uint32)
    inks = 255 - parts[..., :3]
    packed = (parts[..., 3] << 24) | (inks[..., 0] << 16) | (inks[..., 1] << 8) | inks[..., 2]
    return np.asarray(packed, np.uint32)


def _opaque(ranked: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """Return the pixels of `_ranked`, shape (rows, columns, 4)."""
    parts = np.stack([ranked >> shift & 255 for shift in (16, 8, 0, 24)], axis=-1)
    parts[..., :3] = 255 - parts[..., :3]
    return parts.astype(np.uint8)


def draw_fine(
    axes: Axes, image: NDArray[Any], extent: tuple[float, float, float, float], **style: Any
) -> FineImage:
    """Draw an image, row 0 at the least y, as `Axes.imshow` does.

    Parameters
    ----------
    axes : Axes
    image : ndarray, shape (rows, columns) or (rows, columns, 4)
    extent : tuple of float
        x0, x1, y0, y1.
    **style
        ``aspect``, ``vmin`` and ``vmax``, and what `matplotlib.image.AxesImage` takes.
    """
    axes.set_aspect(style.pop("aspect", "auto"))
    ends = style.pop("vmin", None), style.pop("vmax", None)
    artist = FineImage(axes, origin="lower", extent=extent, **style)
    artist.set_data(image)
    artist.set_clip_path(axes.patch)
    if image.ndim == 2:
        artist.set_clim(*ends)
    artist.set_extent(artist.get_extent())
    axes.add_image(artist)
    return artist
