"""Layers of an encoder weighed against each other, then frames."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ser_experiments.models.nets.layers import AttentivePool


class LayerAttention(nn.Module):
    """A learnt mean of layers, a projection, attentive statistics pooling and a linear classifier.

    Parameters
    ----------
    n_columns : int
        Columns a frame, those of all layers side by side.
    n_outputs : int
        Scores, or numbers, to answer.
    n_layers : int
        Layers that the columns are of, equally wide.
    hidden : int
        Units of the projection; 0 for none.
    dropout : float
        Part of a clip's columns and of the pooled features that is dropped in training.

    References
    ----------
    Pepino, Riera, Ferrer (2021), Emotion recognition from speech using wav2vec 2.0 embeddings, Interspeech: the layers,
    each normalised first, are averaged with learnt weights. Okabe, Koshinaka, Shinoda (2018), Attentive statistics
    pooling for deep speaker embedding, Interspeech.
    """

    def __init__(self, n_columns: int, n_outputs: int, *, n_layers: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.n_layers = n_layers
        width = n_columns // n_layers
        self.layer_scores = nn.Parameter(torch.zeros(n_layers))
        self.project = nn.Sequential(nn.Linear(width, hidden), nn.GELU()) if hidden else nn.Identity()
        self.pool = AttentivePool(hidden or width)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(2 * (hidden or width), n_outputs)

    def forward(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Score clips of shape (n_clips, n_frames, n_columns)."""
        layers = x.unflatten(2, (self.n_layers, -1)).unbind(2)
        weights = self.layer_scores.softmax(dim=0).to(x.dtype)
        mixed = layers[0] * weights[0]
        for layer, weight in zip(layers[1:], weights[1:], strict=True):
            mixed = torch.addcmul(mixed, layer, weight)
        # A column is dropped for a whole clip: its neighbours in time would tell what is missing.
        kept = self.dropout(mixed.new_ones(len(mixed), 1, mixed.shape[2]))
        return self.head(self.dropout(self.pool(self.project(mixed * kept), lengths)))
