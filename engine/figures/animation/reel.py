"""Pictures on their way into a file, whatever they show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from engine.figures.animation.stage import Pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class Reel:
    """Pictures one after the other, made as they are asked for.

    Attributes
    ----------
    size : (int, int)
        Width and height in pixels.
    rate : int
        Frames a second.
    lasting : sequence of int
        For how many frames each picture lasts.
    title : str
    about : str
        How the pictures were made, for the file's metadata.
    pictures : iterator of Pixels
    """

    size: tuple[int, int]
    rate: int
    lasting: Sequence[int]
    title: str
    about: str
    pictures: Iterator[Pixels]

    def durations(self, units: int) -> list[int]:
        """Return how long each picture lasts, in units of which there are so many a second.

        They add up to the whole length, so that an animation is not faster for being rounded.
        """
        ends = [round(frames * units / self.rate) for frames in accumulate(self.lasting)]
        return [end - begin for begin, end in zip([0, *ends], ends, strict=False)]
