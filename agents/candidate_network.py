"""The network for ``CandidateActions``: every candidate is scored alike, in whatever library."""

from __future__ import annotations

import torch
from torch import nn

from toolrl_env.wrappers.numeric.candidate_actions import CandidateLayout

__all__ = ["CandidateNetwork"]


class CandidateNetwork(nn.Module):
    """Observations [B, size] -> a score for each candidate [B, n] and a summary of them [B, h].

    A candidate's score depends on its own row and on the request, not on its place: permuting the
    candidates permutes the scores. The tool's and the request's encodings meet in a product of
    learned projections. Places without a candidate score ``absent``.

    Args:
        layout: That of ``CandidateActions``.
        hidden: Width, h.
        absent: Score of an empty place.
    """

    def __init__(self, layout: CandidateLayout, hidden: int = 64, absent: float = -1e8) -> None:
        super().__init__()
        self.layout, self.absent = layout, absent
        self.tool = nn.Linear(layout.context, hidden)
        self.request = nn.Linear(layout.context, hidden)
        numbers = layout.row - layout.context
        self.body = nn.Sequential(
            nn.Linear(numbers + hidden, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh()
        )
        self.head = nn.Linear(hidden, 1)

    def forward(self, observations: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the scores [B, n] and the mean over the candidates [B, h]."""
        layout = self.layout
        table, request = observations.split([layout.places * layout.row, layout.context], dim=1)
        rows = table.reshape(-1, layout.places, layout.row)  # [B, n, row]
        present = rows[:, :, 0] > 0.5  # [B, n]
        numbers, tools = rows.split([layout.row - layout.context, layout.context], dim=2)
        match = self.tool(tools) * self.request(request).unsqueeze(1)  # [B, n, h]
        hidden = self.body(torch.cat((numbers, match), dim=2))  # [B, n, h]
        scores = self.head(hidden).squeeze(2).masked_fill(~present, self.absent)  # [B, n]
        kept = hidden * present.unsqueeze(2)
        mean = kept.sum(dim=1) / present.sum(dim=1, keepdim=True).clamp(min=1)  # [B, h]
        return scores, mean
