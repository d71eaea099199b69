"""A value head on a language model: what is still to come, said at every token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from agents.episode import Episode
from agents.losses import aggregate, length_mask, same_shape

__all__ = ["Forward", "ValueHead", "forward", "value_loss"]


class ValueHead(nn.Module):
    """A linear map from the model's last hidden state to a value. It begins at 0 everywhere.

    Args:
        width: Of the hidden state.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, 1)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, hidden: Tensor) -> Tensor:
        """Return values [...] of hidden states [..., D], in float32."""
        return self.linear(hidden.float())[..., 0]


@dataclass(frozen=True, slots=True)
class Forward:
    """What a model says about episodes.

    Attributes:
        logprobs: Log-probability of each token, shape [B, T], 0 outside the mask.
        values: Value of the state before each token and of the last state, shape [B, T + 1];
            nothing of meaning past an episode's end.
        mask: True at tokens that the policy sampled, shape [B, T].
    """

    logprobs: Tensor
    values: Tensor
    mask: Tensor


def forward(
    model: PreTrainedModel, head: ValueHead, episodes: Sequence[Episode], temperature: float
) -> Forward:
    """Run model and value head over whole episodes, right-padded.

    Args:
        model: The policy; its body is shared by the value head.
        head: The value head.
        episodes: At least one, of any prompts.
        temperature: The policy's temperature, above 0.
    """
    rows = [[*episode.prompt_ids, *episode.token_ids] for episode in episodes]
    lengths = torch.tensor([len(row) for row in rows])
    ids = torch.zeros(len(rows), int(lengths.max()), dtype=torch.long)
    for index, row in enumerate(rows):
        ids[index, : len(row)] = torch.tensor(row)
    width = max(len(episode.token_ids) for episode in episodes)
    mask = torch.zeros(len(rows), width, dtype=torch.bool)
    for index, episode in enumerate(episodes):
        mask[index, : len(episode.token_ids)] = torch.tensor(episode.sampled)
    out = model.base_model(
        input_ids=ids, attention_mask=length_mask(lengths, ids.shape[1]), use_cache=False
    ).last_hidden_state  # [B, L, D]
    starts = torch.tensor([len(episode.prompt_ids) - 1 for episode in episodes])
    where = (starts[:, None] + torch.arange(width + 1)).clamp(max=ids.shape[1] - 1)  # [B, T + 1]
    hidden = out.gather(1, where[:, :, None].expand(-1, -1, out.shape[2]))  # [B, T + 1, D]
    targets = ids.gather(1, (where[:, :-1] + 1).clamp(max=ids.shape[1] - 1))  # [B, T]
    logits = model.lm_head(hidden[:, :-1][mask]).float() / temperature  # [N, V]
    chosen = -torch.nn.functional.cross_entropy(logits, targets[mask], reduction="none")
    logprobs = torch.zeros(mask.shape).masked_scatter(mask, chosen)
    return Forward(logprobs, head(hidden), mask)


def value_loss(
    values: Tensor,
    old: Tensor,
    returns: Tensor,
    mask: Tensor,
    *,
    clip: float | None,
    denominator: float,
) -> Tensor:
    r"""Mean squared error of the values, clipped or not.

    .. math::
        L = \frac{1}{2Z} \sum_{i,t} m_{i,t} \max\big((V - R)^2,\
            (\mathrm{clip}(V, V_{\text{old}} - \epsilon, V_{\text{old}} + \epsilon) - R)^2\big)

    Source: the reference code of PPO, arXiv 1707.06347 (its eq. 9 has the unclipped square);
    clipping keeps the head from moving further than :math:`\epsilon` on one batch.

    Args:
        values: V, shape [B, T], with gradient.
        old: V when the batch was played, shape [B, T].
        returns: R, shape [B, T].
        mask: True at tokens that the policy sampled, shape [B, T], boolean.
        clip: The bound, above 0, or ``None`` for the plain square.
        denominator: Z, the sampled tokens of the whole batch.
    """
    same_shape(mask, values, old, returns)
    errors = (values - returns).square()
    if clip is not None:
        near = old + (values - old).clamp(-clip, clip)
        errors = torch.maximum(errors, (near - returns).square())
    return 0.5 * aggregate(errors, mask, "token", denominator)
