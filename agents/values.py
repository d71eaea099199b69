"""A value head on a language model: what is still to come, said at every token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from agents.head import output_head, token_scores
from agents.logprobs import hidden_states, spread, where_sampled
from agents.losses import aggregate, same_shape
from agents.packing import Example, Trainable, pack

__all__ = ["Forward", "ValueHead", "every_state", "forward", "value_loss"]


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
            0 past an episode's end.
        mask: True at tokens that the policy sampled, shape [B, T].
    """

    logprobs: Tensor
    values: Tensor
    mask: Tensor


def every_state(episodes: Sequence[Trainable]) -> list[Example]:
    """Return episodes as what to pack, so that each has the states of all its T tokens.

    One token more stands at the end, so that the last state, which a cut episode goes on from, is
    in the row too; nothing reads it.
    """
    return [Example(e.prompt_ids, (*e.token_ids, e.prompt_ids[-1])) for e in episodes]


def forward(
    model: PreTrainedModel, head: ValueHead, episodes: Sequence[Trainable], temperature: float
) -> Forward:
    """Run model and value head over whole episodes, packed in one row; prompts are shared.

    Args:
        model: The policy; its body is shared by the value head.
        head: The value head.
        episodes: At least one, of any prompts.
        temperature: The policy's temperature, above 0.
    """
    states, device = every_state(episodes), model.device
    row = pack(states)
    hidden = hidden_states(model, row)  # [sum(T + 1), D]
    flags = [flag for episode in episodes for flag in (*episode.sampled, False)]
    own = torch.tensor([place for place, flag in enumerate(flags) if flag], device=device)
    targets = torch.tensor(row.targets, device=device)
    logprobs, _ = token_scores(hidden[own], output_head(model).weight, targets[own], temperature)
    mask = where_sampled(episodes).to(device)  # [B, T]
    values = spread(head(hidden), where_sampled(states).to(device))  # [B, T + 1]
    return Forward(spread(logprobs, mask), values, mask)


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
