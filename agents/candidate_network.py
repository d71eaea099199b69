"""The network for ``CandidateActions``: every candidate is scored alike, in whatever library."""

from __future__ import annotations

import torch
from torch import nn

from toolrl_env.wrappers.numeric.candidate_actions import CandidateLayout

__all__ = ["CandidateNetwork"]


class CandidateNetwork(nn.Module):
    """Observations [..., size] -> a score for each candidate [..., n] and a summary [..., 2h].

    A candidate's score depends on its own row, on the request and on what all candidates have in
    common (the mean and the maximum over them, as in Zaheer et al., *Deep Sets*, 2017), not on its
    place: permuting the candidates permutes the scores. The encoded tool meets the encoded request,
    and the passages that the candidate's values come from, in products of learned projections.
    Places without a candidate score ``absent``.

    Args:
        layout: That of ``CandidateActions``.
        hidden: Width, h.
        absent: Score of an empty place.

    Attributes:
        summary_size: Numbers in the summary, 2h.
    """

    def __init__(self, layout: CandidateLayout, hidden: int = 64, absent: float = -1e8) -> None:
        super().__init__()
        self.layout, self.absent, self.summary_size = layout, absent, 2 * hidden
        self.tool, self.request, self.passages = (
            nn.Linear(layout.context, hidden) for _ in range(3)
        )
        numbers = layout.row - 2 * layout.context
        self.body = nn.Sequential(nn.Linear(numbers + 2 * hidden, hidden), nn.Tanh())
        self.own = nn.Linear(hidden, hidden)
        self.common = nn.Linear(2 * hidden, hidden, bias=False)
        self.head = nn.Linear(hidden, 1)

    def forward(self, observations: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the scores [..., n], and mean and maximum over the candidates [..., 2h]."""
        layout = self.layout
        table, request = observations.split([layout.places * layout.row, layout.context], dim=-1)
        rows = table.unflatten(-1, (layout.places, layout.row))  # [..., n, row]
        present = rows[..., :1] > 0.5  # [..., n, 1]
        sizes = [layout.row - 2 * layout.context, layout.context, layout.context]
        numbers, tools, passages = rows.split(sizes, dim=-1)
        tool = self.tool(tools)  # [..., n, h]
        match = tool * self.request(request).unsqueeze(-2)  # [..., n, h]
        local = tool * self.passages(passages)  # [..., n, h]
        hidden = self.body(torch.cat((numbers, match, local), dim=-1))  # [..., n, h]
        mean = (hidden * present).sum(dim=-2) / present.sum(dim=-2).clamp(min=1)  # [..., h]
        most = hidden.masked_fill(~present, -1.0).amax(dim=-2)  # [..., h]; tanh is above -1
        summary = torch.cat((mean, most), dim=-1)  # [..., 2h]
        joint = torch.tanh(self.own(hidden) + self.common(summary).unsqueeze(-2))  # [..., n, h]
        scores = self.head(joint).masked_fill(~present, self.absent).squeeze(-1)  # [..., n]
        return scores, summary
