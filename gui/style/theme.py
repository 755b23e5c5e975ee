"""Light and dark: every colour of the window by role, and the style of the whole program.

Widgets that paint themselves ask `current_theme` when they paint; a change of theme reaches them as
the palette change that Qt sends to every widget, others may listen to `theme_signals().changed`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from string import Template
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QToolTip

from engine.core.palette import MAPS, PINS, RAMP, ROLES, SERIES
from engine.core.paths import resource
from gui.style import scaling

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FONT_FAMILIES = (
    "Inter",
    "Segoe UI Variable Text",
    "Segoe UI",
    "SF Pro Text",
    ".AppleSystemUIFont",
    "Noto Sans",
    "Ubuntu",
    "Cantarell",
    "DejaVu Sans",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """Colours by role, as ``#rrggbb``.

    Attributes
    ----------
    background, surface, raised : str
        The window, what stands on it (plots, panels, fields), and hovered or raised parts of that.
    border, strong_border, grid : str
        Lines around parts, around controls, and in plots.
    text, muted : str
        Text, and text of second rank.
    accent, on_accent, soft_accent : str
        The one accent colour, text on it, and a tint of it for selections.
    bound, good, warning, bad : str
        A limit of the theory, what holds, what will not hold for long, what fails.
    series : tuple of str
        Roles ``"1"`` to ``"8"``; pairwise distinct with protanopia, deuteranopia and tritanopia.
    pins : tuple of str
        Roles ``"pin1"`` to ``"pin8"``, of runs kept for comparison: none is that of a series.
    ramp, sequential, diverging, gray : tuple of str
        Equally spaced stops of the map for many lines and of the maps for images.
    """

    name: str
    is_dark: bool
    background: str
    surface: str
    raised: str
    border: str
    strong_border: str
    grid: str
    text: str
    muted: str
    accent: str
    on_accent: str
    soft_accent: str
    bound: str
    good: str
    warning: str
    bad: str
    series: tuple[str, ...]
    pins: tuple[str, ...]
    ramp: tuple[str, ...]
    sequential: tuple[str, ...]
    diverging: tuple[str, ...]
    gray: tuple[str, ...]

    def color(self, role: str) -> QColor:
        """Return the colour of a role, or of a literal ``#rrggbb``; unknown roles are text."""
        if role.isdigit():
            return QColor(self.series[(int(role) - 1) % len(self.series)])
        if role.startswith("pin") and role[3:].isdigit():
            return QColor(self.pins[(int(role[3:]) - 1) % len(self.pins)])
        if role == "ramp":
            return QColor(self.ramp[len(self.ramp) // 2])
        if role.startswith("#"):
            return QColor(role)
        value = getattr(self, role, self.text)
        return QColor(value if isinstance(value, str) else self.text)

    def line_colors(self, role: str, count: int) -> tuple[QColor, ...]:
        """Return the colours of so many lines: along the ramp if the role is ``"ramp"``."""
        return _ramp_colors(self.ramp, count) if role == "ramp" else (self.color(role),) * count


@cache
def _ramp_colors(stops: tuple[str, ...], count: int) -> tuple[QColor, ...]:
    table = color_table(stops)
    places = [255 * i / (count - 1) for i in range(count)] if count > 1 else [127.5]
    return tuple(QColor(*table[round(place)].tolist()) for place in places)


LIGHT = Theme(
    name="light",
    is_dark=False,
    background="#f2f4f7",
    surface="#ffffff",
    raised="#f6f7fa",
    border="#dfe3ea",
    strong_border="#c3cad6",
    grid="#eceff4",
    text=ROLES["text"],
    muted=ROLES["muted"],
    accent="#2f5bd8",
    on_accent="#ffffff",
    soft_accent="#e4ebfd",
    bound=ROLES["bound"],
    good=ROLES["good"],
    warning="#96590a",
    bad=ROLES["bad"],
    series=SERIES,
    pins=PINS,
    ramp=RAMP,
    sequential=MAPS["sequential"],
    diverging=MAPS["diverging"],
    gray=MAPS["gray"],
)

DARK = Theme(
    name="dark",
    is_dark=True,
    background="#12151b",
    surface="#1a1e26",
    raised="#222732",
    border="#2b313d",
    strong_border="#3f4859",
    grid="#252b36",
    text="#e5e8ee",
    muted="#98a2b4",
    accent="#6f95ff",
    on_accent="#0e1424",
    soft_accent="#263356",
    bound="#cdb0ff",
    good="#4cc38a",
    warning="#e5ad4b",
    bad="#ff6b66",
    series=(
        "#5b8ff9",
        "#f08a4b",
        "#45c9a0",
        "#dd5aa2",
        "#f5cf5b",
        "#a5e1ff",
        "#b07a4a",
        "#9aa4b5",
    ),
    pins=(
        "#c98bf0",
        "#a3d65c",
        "#ff9fc4",
        "#3fb8c4",
        "#e07a6e",
        "#8b7fe8",
        "#cdbb7a",
        "#d5dde6",
    ),
    ramp=("#7b6cf2", "#5a8df0", "#3fa9dc", "#35c0b4", "#66d184", "#b3dc55", "#f7e052"),
    sequential=("#171c2b", "#1c3566", "#1e5f8f", "#2a90a3", "#62bda3", "#b9dfa4", "#fbf7d2"),
    diverging=("#a9c8ff", "#5b86e6", "#2b4584", "#1d222c", "#7a3d18", "#d97b3a", "#ffcd9c"),
    gray=("#0f1218", "#f4f6fa"),
)

THEMES = {theme.name: theme for theme in (LIGHT, DARK)}


@cache
def color_table(stops: tuple[str, ...]) -> NDArray[np.uint8]:
    """Interpolate stops to 256 colours, shape (256, 3)."""
    import numpy as np  # by now loaded for what is drawn in these colours; the window comes before

    rows = np.array([[int(stop[i : i + 2], 16) for i in (1, 3, 5)] for stop in stops], np.float64)
    place = np.linspace(0, len(stops) - 1, 256)
    columns = [np.interp(place, np.arange(len(stops)), rows[:, channel]) for channel in range(3)]
    table = np.stack(columns, axis=1).round().astype(np.uint8)
    table.flags.writeable = False
    return table


def mixed(one: str, other: str, share: float) -> str:
    """Return a colour between two: `share` 0 is the first, 1 the second."""
    pairs = ((int(one[i : i + 2], 16), int(other[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


class ThemeSignals(QObject):
    """Announces another theme or scale; `changed` carries the `Theme`."""

    changed = Signal(object)


@cache
def theme_signals() -> ThemeSignals:
    """Return the one source of theme changes."""
    return ThemeSignals()


_STYLED = "hasFusion"
"""Property of an application whose style was set."""
_current = LIGHT
_scale = 1.0


def current_theme() -> Theme:
    """Return the theme in force."""
    return _current


def system_theme() -> Theme:
    """Return the theme that the desktop asks for."""
    scheme = QGuiApplication.styleHints().colorScheme()
    return DARK if scheme == Qt.ColorScheme.Dark else LIGHT


def apply_theme(app: QApplication, theme: Theme) -> None:
    """Apply a theme to the whole program: style, palette, font and style sheet.

    Font and style sheet are made at the scale in force (`gui.style.scaling`).
    """
    global _current, _scale
    changed = theme is not _current or _scale != scaling.factor()
    _current, _scale = theme, scaling.factor()
    if app.property(_STYLED) is None:  # its name is hidden by a style sheet
        app.setStyle("Fusion")
        app.setProperty(_STYLED, True)
    app.setFont(base_font())
    app.setPalette(palette(theme))
    QToolTip.setPalette(palette(theme))  # else tooltips keep the platform's colours
    app.setStyleSheet(style_sheet(theme))
    scaling.refit()
    if changed:
        theme_signals().changed.emit(theme)


def base_font() -> QFont:
    """Return the program's font, at the scale in force."""
    font = QFont(_usual_font())
    font.setPointSizeF(font.pointSizeF() * scaling.factor())
    return font


@cache
def _usual_font() -> QFont:
    """Return the system's own face if it is one made for screens."""
    known = set(QFontDatabase.families())
    font = QFont(QGuiApplication.font())
    families = [name for name in FONT_FAMILIES if name in known]
    if families and font.family() not in families:
        font.setFamilies([*families, font.family()])
    wide = QFont(font).family().startswith("DejaVu") or families[:1] == ["DejaVu Sans"]
    font.setPointSizeF(9.0 if wide else 10.0)  # DejaVu is a tenth wider than its size says
    font.setStyleStrategy(QFont.StyleStrategy.PreferAntialias)
    font.setHintingPreference(QFont.HintingPreference.PreferVerticalHinting)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


def palette(theme: Theme) -> QPalette:
    """Build Qt's palette from a theme."""
    role = QPalette.ColorRole
    colors = {
        role.Window: theme.background,
        role.WindowText: theme.text,
        role.Base: theme.surface,
        role.AlternateBase: theme.raised,
        role.Text: theme.text,
        role.Button: theme.surface,
        role.ButtonText: theme.text,
        role.BrightText: theme.bad,
        role.Light: theme.raised,
        role.Midlight: theme.grid,
        role.Mid: theme.border,
        role.Dark: theme.strong_border,
        role.Shadow: mixed(theme.background, "#000000", 0.4),
        role.Highlight: theme.accent,
        role.HighlightedText: theme.on_accent,
        role.Accent: theme.accent,
        role.Link: theme.accent,
        role.LinkVisited: theme.bound,
        role.ToolTipBase: theme.raised if theme.is_dark else theme.surface,
        role.ToolTipText: theme.text,
        role.PlaceholderText: theme.muted,
    }
    result = QPalette()
    for key, value in colors.items():
        result.setColor(key, QColor(value))
    faded = QColor(mixed(theme.text, theme.surface, 0.6))
    for key in (role.WindowText, role.Text, role.ButtonText):
        result.setColor(QPalette.ColorGroup.Disabled, key, faded)
    result.setColor(QPalette.ColorGroup.Disabled, role.Highlight, QColor(theme.strong_border))
    return result


def style_sheet(theme: Theme) -> str:
    """Fill the program's style sheet with a theme's colours, its lengths at the scale in force."""
    sheet = resource("themes", "lab.qss").read_text("utf-8")
    template = Template(scaling.scaled_sheet(sheet))
    names = (
        "background surface raised border strong_border grid text muted accent on_accent "
        "soft_accent bound good warning bad"
    )
    values = {name: getattr(theme, name) for name in names.split()}
    values["tip"] = theme.raised if theme.is_dark else theme.surface
    values["tip_text"] = theme.text
    values["faded"] = mixed(theme.text, theme.surface, 0.6)
    values["hover"] = mixed(theme.raised, theme.text, 0.05)
    values["pressed"] = mixed(theme.raised, theme.text, 0.12)
    values["accent_hover"] = mixed(theme.accent, theme.text, 0.12)
    values["soft_bad"] = mixed(theme.surface, theme.bad, 0.1)
    values["icons"] = resource("themes", theme.name).as_posix()
    values |= _knob()
    return template.substitute(values)


def _knob() -> dict[str, str]:
    """Return the lengths of a slider's knob, a circle whose middle is that of its groove."""
    inner, border, groove = map(scaling.whole, (10, 2, 4))
    inner += inner % 2
    groove += groove % 2
    outer = inner + 2 * border
    lengths = {"inner": inner, "radius": outer // 2, "groove": groove, "half_groove": groove // 2}
    lengths["margin"] = (groove - outer) // 2
    return {f"knob_{name}": f"{length}px" for name, length in lengths.items()}
