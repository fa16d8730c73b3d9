"""Rows summed to independent units: linear and ratio statistics need no more than the totals of clusters."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.stats.estimate import FloatArray


def cluster_totals(values: FloatArray, cluster: Any) -> tuple[FloatArray, NDArray[Any]]:
    """Totals of each cluster, in the order of labels.

    Args:
        values: Shape (rows,) or (rows, columns).
        cluster: One label a row, of any one kind.

    Returns:
        Totals, shape (clusters,) or (clusters, columns), and the labels.

    Raises:
        ParameterError: Not one label a row, or a missing label.
    """
    labels = np.asarray(cluster)
    if labels.shape != (len(values),):
        raise ParameterError(f"Число меток кластеров ({labels.size}) не равно числу строк ({len(values)}).")
    if labels.dtype.kind in "OfMm":
        labels = labels.astype(str)
        missing = np.isin(labels, ("nan", "None", "<NA>", "NaT"))
        if missing.any():
            raise ParameterError(f"Меток кластеров нет в строках: {int(missing.sum())}. Укажите метку каждой строки.")
    names, code = np.unique(labels, return_inverse=True)
    columns = values[:, None] if values.ndim == 1 else values
    totals = np.zeros((names.size, columns.shape[1]))
    np.add.at(totals, code.ravel(), columns)
    return totals.reshape(names.size, *values.shape[1:]), names
