"""A recurrent network over frame-level descriptors."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from ser_experiments.models.nets.layers import AttentivePool, average_blocks


class FrameLSTM(nn.Module):
    """Averages of a few frames, a bidirectional LSTM, and attention over time.

    Parameters
    ----------
    n_columns : int
        Descriptors a frame.
    n_outputs : int
        Scores, or numbers, to answer.
    hidden : int
        Cells of each direction.
    n_layers : int
        Layers one above the other.
    frames_per_step : int
        Frames averaged to one step: emotion moves slowly, and time costs steps.
    dropout : float
        Part of the steps' and of the pooled features that is dropped in training.
    """

    def __init__(
        self, n_columns: int, n_outputs: int, *, hidden: int, n_layers: int, frames_per_step: int, dropout: float
    ) -> None:
        super().__init__()
        self.frames_per_step = frames_per_step
        self.lstm = nn.LSTM(
            n_columns,
            hidden,
            n_layers,
            batch_first=True,
            bidirectional=True,
            dropout=dropout if n_layers > 1 else 0.0,
        )
        self.pool = AttentivePool(2 * hidden)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(4 * hidden, n_outputs)

    def forward(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Score clips of shape (n_clips, n_frames, n_columns)."""
        x, lengths = average_blocks(x, lengths, self.frames_per_step)
        x = self.dropout(x)
        if lengths is None:
            states, _ = self.lstm(x)
        else:
            packed = pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
            packed_states, _ = self.lstm(packed)
            states, _ = pad_packed_sequence(packed_states, batch_first=True, total_length=x.shape[1])
        return self.head(self.dropout(self.pool(states, lengths)))
