"""What maps there are of an experiment at its parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, Signal

from engine.core.errors import LabError
from engine.core.params import Params
from engine.maps.kind import Offer
from gui.maps.dock import MapsPanel
from gui.maps.form import Wanted
from gui.maps.source import MapSource
from gui.run.control import RunControl


@dataclass(frozen=True, slots=True)
class Offered:
    """A kind of map that an experiment has.

    Attributes
    ----------
    title, help : str
    offer : Offer
    """

    title: str
    help: str
    offer: Offer


def offers_of(experiment: str, params: Params, seed: int) -> dict[str, Offered]:
    """Find the kinds of map that an experiment has at some parameters, by id."""
    from engine.maps.catalogue import KINDS, kind

    found: dict[str, Offered] = {}
    for kind_id in KINDS:
        each = kind(kind_id)
        offer = each.offer(experiment, params, seed)
        if offer is not None:
            found[kind_id] = Offered(each.title, each.help, offer)
    return found


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for last, and whether the map on screen is of it."""

    wanted: Wanted | None
    is_made: bool


class OfferForm(QObject):
    """Fills the form with the maps that there are.

    Parameters
    ----------
    panel : MapsPanel
    source : MapSource
    control : RunControl
        Of the run, whose parameters decide.
    asked : callable
        Returns what was asked for last.

    Attributes
    ----------
    came : Signal
        It is known what maps there are.
    found : dict of str to Offered
        The kinds by id; empty before that.
    is_edited : bool
        Whether the form asks for another map than that on screen.
    """

    came = Signal()

    def __init__(
        self,
        panel: MapsPanel,
        source: MapSource,
        control: RunControl,
        asked: Callable[[], Asked],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._panel, self._source, self._control, self._asked = panel, source, control, asked
        self.found: dict[str, Offered] = {}
        self.is_edited = False
        self._number = 0
        panel.form.kind_chosen.connect(self._on_kind_chosen)
        panel.form.edited.connect(self._on_edited)

    def forget(self) -> None:
        """Begin with another experiment."""
        self.found, self.is_edited = {}, False

    def ask(self, experiment: str) -> None:
        """Find out, beside the window's thread, what maps there are."""
        self._number += 1
        number = self._number
        params, seed = self._control.params, self._control.seed

        def then(found: dict[str, Offered] | Exception) -> None:
            if number == self._number:
                self._take(found)

        self._source.ask(lambda: offers_of(experiment, params, seed), then)

    def choose(self, kind_id: str) -> None:
        """Show a kind in the form, where there is one."""
        if kind_id in self.found:
            self._panel.form.choose_kind(kind_id)
            self._offer(kind_id, refill=True)

    def _take(self, found: dict[str, Offered] | Exception) -> None:
        if isinstance(found, Exception):
            sentence = str(found) if isinstance(found, LabError) else "Maps are not available."
            self._panel.show_none(sentence)
            return
        is_first = not self.found
        self.found = found
        if not found:
            self._panel.show_none("This experiment has no maps with these parameters.")
            return
        self._panel.show_none("")
        form, asked = self._panel.form, self._asked()
        form.list_kinds({kind_id: each.title for kind_id, each in found.items()})
        if asked.wanted is not None and asked.wanted.kind in found and not self.is_edited:
            form.choose_kind(asked.wanted.kind)
        refill = is_first or not asked.is_made or not self.is_edited
        self._offer(str(form.kind.currentData()), refill=refill)
        self.came.emit()

    def _offer(self, kind_id: str, refill: bool) -> None:
        """Show what a kind offers, and its numbers unless the user's are there already."""
        each = self.found[kind_id]
        form, offer, made = self._panel.form, each.offer, self._made(kind_id)
        self._panel.show_search(kind_id)
        if made is not None:  # its axes are listed even where they are not offered any more
            offer = replace(
                offer,
                x_names=tuple(dict.fromkeys((*offer.x_names, made.x.name))),
                y_names=tuple(dict.fromkeys((*offer.y_names, made.y.name))),
            )
        form.offer(each.help, offer)
        if not refill:
            return
        usual = Wanted(kind=kind_id, x=offer.x, y=offer.y, steps=offer.steps, options=offer.options)
        if made is not None:
            form.fill(replace(made, options={**offer.options, **made.options}))
            return
        wanted = self._asked().wanted
        form.fill(wanted if wanted is not None and _suits(wanted, usual, offer) else usual)

    def _made(self, kind_id: str) -> Wanted | None:
        """Return what the map on screen was made with; None where it is not of that kind."""
        asked = self._asked()
        is_it = asked.is_made and asked.wanted is not None and asked.wanted.kind == kind_id
        return asked.wanted if is_it else None

    def _on_edited(self) -> None:
        self.is_edited = True
        self._panel.forget_ready()

    def _on_kind_chosen(self, kind_id: str) -> None:
        self._panel.forget_ready()
        self.is_edited = self._made(kind_id) is None
        self._offer(kind_id, refill=True)


def _suits(wanted: Wanted, usual: Wanted, offer: Offer) -> bool:
    """Return whether what was asked for before can still be."""
    return (
        wanted.kind == usual.kind
        and wanted.x.name in offer.x_names
        and wanted.y.name in offer.y_names
        and set(wanted.options) <= set(offer.options)
    )
