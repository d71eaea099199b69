"""The network for ``CandidateActions``: every candidate is scored alike, in whatever library."""

from __future__ import annotations

import torch
from torch import nn

from toolrl_env.wrappers.numeric.candidate_actions import CandidateLayout

__all__ = ["CandidateNetwork"]


class CandidateNetwork(nn.Module):
    """Observations [..., size] -> a score for each candidate [..., n] and a summary [..., h].

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
        """Return the scores [..., n] and the mean over the candidates [..., h]."""
        layout = self.layout
        table, request = observations.split([layout.places * layout.row, layout.context], dim=-1)
        rows = table.unflatten(-1, (layout.places, layout.row))  # [..., n, row]
        present = rows[..., 0] > 0.5  # [..., n]
        numbers, tools = rows.split([layout.row - layout.context, layout.context], dim=-1)
        match = self.tool(tools) * self.request(request).unsqueeze(-2)  # [..., n, h]
        hidden = self.body(torch.cat((numbers, match), dim=-1))  # [..., n, h]
        scores = self.head(hidden).squeeze(-1).masked_fill(~present, self.absent)  # [..., n]
        kept = hidden * present.unsqueeze(-1)
        count = present.sum(dim=-1, keepdim=True).clamp(min=1)
        return scores, kept.sum(dim=-2) / count
