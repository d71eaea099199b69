"""``ToolRL-Search-v0``."""

from __future__ import annotations

from typing import Any

from toolrl_env.data.search import Judge, SearchBackend, SearchSource
from toolrl_env.data.search.documents import Corpus
from toolrl_env.data.search.questions import Questions
from toolrl_env.envs.multi_turn import MultiTurnEnv
from toolrl_env.envs.vector import ToolVectorEnv
from toolrl_env.rewards.episode import EpisodeRewardConfig

__all__ = ["SearchEnv", "SearchVectorEnv"]

_SPARE_TURNS = 4


class SearchEnv(MultiTurnEnv):
    r"""Multi-hop questions with a search tool: look things up, then answer in a few words.

    ## Description
    A question and one tool, ``search(query, k)``, over a corpus. The answer follows from two
    passages, and the second search needs what the first one found. Built in are 375 questions on
    520 passages of our own about an invented country, which no model can know by heart; their
    splits share no person, place or thing. A corpus, questions and a search server of your own
    take their place.

    ## Observation
    ``UnicodeText``: the conversation so far; ``info`` has it as chat ``messages``, and the
    ``tools``.

    ## Action
    ``UnicodeText``: searches (up to 4 at once are one round), or a response, in the layout of
    ``protocol``. After ``max_rounds`` rounds searches are refused, which the model is told. Of a
    response the last ``<answer>…</answer>`` counts, else the last ``\boxed{…}``, else what follows
    ``answer:`` or ``answer is``, else all of it.

    ## Reward
    ``episode_reward``; by default the score of the answer, paid at the end: 0 or 1 with
    ``exact_match`` and ``contains``, anything between with ``f1`` and a judge. A search costs
    nothing. Naming several candidates earns nothing by ``exact_match``; what it earns by the
    others is in ``docs/environments.md``.

    ## Episode end
    Terminates with the first response. Truncates after ``max_turns`` answers, when the conversation
    is longer than an observation may be, and when something of ours fails: a search server that is
    down is a masked step, never an empty result.

    ## Arguments
    - ``split``: ``"train"``, ``"validation"``, ``"test"`` or ``"all"``; of questions without a
      ``split`` of their own by a hash, so take ``"all"`` for a test set such as Bamboogle.
    - ``corpus``: a ``.jsonl``, ``.json``, ``.jsonl.gz`` or ``.parquet`` file with ``title`` and
      ``text``, or a list of documents; searched by BM25, which needs ``toolrl-env[search]``.
    - ``questions``: a file with ``question`` and ``answer`` or ``answers`` (Bamboogle's will do),
      and perhaps ``aliases``, ``searches``, ``split``; or a list.
    - ``backend``: a ``SearchBackend`` in place of ``corpus``, e.g. ``HTTPBackend(url)``.
    - ``answer_score``: ``"exact_match"``, ``"f1"``, ``"contains"``, or a judge
      ``(question, response, answers) -> float`` in ``[0, 1]``; success is a score of 1.
    - ``max_rounds`` (default 4) and ``top_k`` (passages a search shows, default 3).
    - ``max_turns`` (default ``max_rounds`` + 4), ``episode_reward``, and those of ``ToolUseEnv``
      but for ``reward`` and ``strict``.

    ## References
    Press et al., *Measuring and Narrowing the Compositionality Gap in Language Models* (Bamboogle),
    arXiv 2210.03350. Qian et al., *ToolRL*, arXiv 2504.13958, whose harness allows 4 rounds.
    Robertson and Zaragoza, *The Probabilistic Relevance Framework: BM25 and Beyond*, 2009.

    ## Version history
    - v0: first version.
    """

    def __init__(
        self,
        split: str = "train",
        corpus: Corpus | None = None,
        questions: Questions | None = None,
        backend: SearchBackend | None = None,
        answer_score: str | Judge = "exact_match",
        max_rounds: int = 4,
        top_k: int = 3,
        *,
        max_turns: int | None = None,
        episode_reward: EpisodeRewardConfig | str = "answer_quality",
        **kwargs: Any,
    ) -> None:
        source = SearchSource(
            split,
            corpus=corpus,
            questions=questions,
            backend=backend,
            answer_score=answer_score,
            max_rounds=max_rounds,
            top_k=top_k,
        )
        if max_turns is None:
            max_turns = max_rounds + _SPARE_TURNS
        self.waits = source.waits
        super().__init__(source, max_turns=max_turns, episode_reward=episode_reward, **kwargs)


class SearchVectorEnv(ToolVectorEnv):
    """Native vector form of ``SearchEnv``."""

    env_class = SearchEnv
