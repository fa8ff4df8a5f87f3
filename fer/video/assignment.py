"""Pair the rows and columns of a cost matrix."""

import numpy as np


def assign(costs: np.ndarray) -> list[tuple[int, int]]:
    """Pair as many rows and columns as possible, so that the sum of their costs is smallest.

    Kuhn's Hungarian method (1955) with potentials: rows are added one by one along the cheapest augmenting path. Fast
    enough for some dozens of faces; scipy is faster, but takes half a second to import.

    Args:
        costs: float (n, m), finite.

    Returns:
        (row, column) of each pair, ordered by row.
    """
    rows, columns = costs.shape
    if rows > columns:
        return sorted((row, column) for column, row in assign(costs.T))
    # Row 0 and column 0 are dummies, where each path starts.
    of_row, of_column = np.zeros(rows + 1), np.zeros(columns + 1)
    row_at = np.zeros(columns + 1, int)
    for row in range(1, rows + 1):
        row_at[0], column = row, 0
        least, before = np.full(columns + 1, np.inf), np.zeros(columns + 1, int)
        visited = np.zeros(columns + 1, bool)
        while row_at[column]:
            visited[column] = True
            reduced = np.append(np.inf, costs[row_at[column] - 1] - of_row[row_at[column]] - of_column[1:])
            better = ~visited & (reduced < least)
            least[better], before[better] = reduced[better], column
            nearest = int(np.argmin(np.where(visited, np.inf, least)))
            step = least[nearest]
            of_row[row_at[visited]] += step
            of_column[visited] -= step
            least[~visited] -= step
            column = nearest
        while column:
            row_at[column] = row_at[before[column]]
            column = int(before[column])
    return sorted((int(row_at[column]) - 1, column - 1) for column in range(1, columns + 1) if row_at[column])
