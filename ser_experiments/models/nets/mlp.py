"""A feed-forward network on rows of a table."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn


class MLP(nn.Module):
    """Fully connected layers, each with batch normalisation, ReLU and dropout.

    Parameters
    ----------
    n_columns : int
        Columns of the table.
    n_outputs : int
        Scores, or numbers, to answer.
    hidden : sequence of int
        Units of each layer.
    dropout : float
        Part of each layer's answers that is dropped in training.
    """

    def __init__(self, n_columns: int, n_outputs: int, *, hidden: Sequence[int], dropout: float) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for width in hidden:
            layers += [nn.Linear(n_columns, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(dropout)]
            n_columns = width
        self.layers = nn.Sequential(*layers, nn.Linear(n_columns, n_outputs))

    def forward(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Score rows of shape (n_rows, 1, n_columns)."""
        return self.layers(x[:, 0])
