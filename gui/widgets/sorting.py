"""Tables sorted by a column: numbers as numbers, and what is missing last."""

from __future__ import annotations

import math
from typing import Any

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSortFilterProxyModel, Qt

SORT_ROLE = Qt.ItemDataRole.UserRole
"""What a model returns for the value of a cell itself."""
_Index = QModelIndex | QPersistentModelIndex


class Sorted(QSortFilterProxyModel):
    """Sorts numbers as numbers and texts as texts; what is missing comes last either way."""

    def lessThan(self, left: _Index, right: _Index) -> bool:  # noqa: N802
        """Return whether a cell comes before another."""
        one, other = left.data(SORT_ROLE), right.data(SORT_ROLE)
        if one is None or other is None:
            down = self.sortOrder() == Qt.SortOrder.DescendingOrder
            return one is not other and (one is None) == down
        return _rank(one) < _rank(other)


def _rank(value: Any) -> tuple[int, float, str]:
    if isinstance(value, int | float):
        number = float(value)
        return (0, math.inf if math.isnan(number) else number, "")
    return (1, 0.0, str(value))
