"""What is played and kept, with a player that answers as it is told."""

from __future__ import annotations

import pytest

from agents.episode import Episode, Group, Turn
from agents.selection import Selection, SelectionConfig


def group(rewards, best=4.0):
    episodes = tuple(
        Episode(
            (1,),
            (2,),
            (True,),
            (0.0,),
            (Turn((0, 1), "x", reward, {"correctness": reward}),),
            is_success=reward == best,
        )
        for reward in rewards
    )
    return Group("task", episodes)


MIXED, SOLVED, HOPELESS = (4.0, -3.0), (4.0, 4.0), (-3.0, -3.0)


class Player:
    """Plays what ``outcome(level, seed)`` says; remembers what it was asked for."""

    def __init__(self, outcome):
        self.outcome = outcome
        self.asked = []

    def __call__(self, level, seeds, rng):
        self.asked.append((level, tuple(seeds)))
        return [group(self.outcome(level, seed)) for seed in seeds]


def config(**changes):
    return SelectionConfig(**{"prompts": 4, "group_size": 2} | changes)


def test_by_default_every_group_of_one_batch_is_kept():
    player = Player(lambda level, seed: HOPELESS)
    played = Selection(config(), 2).play(player, 0)
    assert len(played.groups) == len(played.kept) == 4
    assert (played.batches, played.skipped, played.level) == (1, 0, 0)
    assert len(set(player.asked[0][1])) == 4


def test_choices_depend_on_the_step_alone():
    one, other = Player(lambda *_: MIXED), Player(lambda *_: MIXED)
    Selection(config(tasks=9), 2).play(one, 3)
    Selection(config(tasks=9), 2).play(other, 3)
    assert one.asked == other.asked
    Selection(config(tasks=9), 2).play(other, 4)
    assert one.asked[0] != other.asked[1]


def test_dynamic_sampling_draws_until_there_are_enough():
    player = Player(lambda level, seed: MIXED if seed % 2 else SOLVED)
    played = Selection(config(resample=20), 2).play(player, 0)
    assert len(played.kept) == 4
    assert all(len(set(g.rewards)) == 2 for g in played.kept)
    assert played.batches == len(player.asked) > 1
    assert len(played.groups) == 4 * played.batches
    seeds = [seed for _, asked in player.asked for seed in asked]
    assert len(set(seeds)) == len(seeds)


def test_dynamic_sampling_gives_up():
    player = Player(lambda *_: SOLVED)
    played = Selection(config(resample=3), 2).play(player, 0)
    assert played.kept == ()
    assert played.batches == 4


def test_tasks_are_a_fixed_set_without_repeats_in_a_batch():
    player = Player(lambda *_: MIXED)
    selection = Selection(config(tasks=6), 2)
    for step in range(30):
        selection.play(player, step)
    assert len({seed for _, asked in player.asked for seed in asked}) == 6
    assert all(len(set(asked)) == 4 for _, asked in player.asked)


def test_solved_tasks_are_left_out_for_a_while_and_never_given_up():
    seeds = {}
    player = Player(lambda level, seed: SOLVED if seeds.setdefault(seed, len(seeds)) % 2 else MIXED)
    selection = Selection(config(tasks=20, keep_solved=0.2), 2)
    skipped = [selection.play(player, step).skipped for step in range(60)]
    asked = [seeds[seed] % 2 for _, each in player.asked[10:] for seed in each]
    assert 0 < sum(asked) / len(asked) < 0.3  # half of them without a memory
    assert sum(skipped) > 0


def test_when_all_are_left_out_some_are_played_all_the_same():
    player = Player(lambda *_: SOLVED)
    selection = Selection(config(tasks=4, keep_solved=0.01), 2)
    for step in range(6):
        played = selection.play(player, step)
        assert len(played.groups) == 4
    assert played.skipped == 0


def test_training_on_the_most_varied_answers():
    player = Player(lambda *_: (4.0, 1.0, 0.0, -3.0))
    played = Selection(config(group_size=4, train_on=2), 2).play(player, 0)
    assert played.kept[0].rewards.tolist() == [4.0, -3.0]
    assert played.groups[0].rewards.tolist() == [4.0, 1.0, 0.0, -3.0]


def test_the_curriculum_leaves_a_solved_level():
    player = Player(lambda level, seed: SOLVED if level == 0 else MIXED)
    selection = Selection(config(levels='[{"a": 1}, {"a": 2}]'), 2)
    levels = [selection.play(player, step).level for step in range(120)]
    assert sum(levels[20:]) > 70


def test_failed_groups_are_neither_kept_nor_judged():
    lost = Group("task", (Episode((1,), (), (), (), (), failure="gone"),))
    selection = Selection(config(tasks=4, keep_solved=0.5), 2)
    played = selection.play(lambda level, seeds, rng: [group(MIXED), lost, lost, lost], 0)
    assert len(played.kept) == 1
    assert len(played.groups) == 4


@pytest.mark.parametrize("stop", [1, 7, 13])
def test_a_saved_selection_goes_on_exactly(stop):
    settings = config(tasks=8, keep_solved=0.3, keep_hopeless=0.3, resample=1, levels="[{}, {}]")

    def outcome(level, seed):
        return (MIXED, SOLVED, HOPELESS)[(seed + level) % 3]

    whole, player = Selection(settings, 2), Player(outcome)
    for step in range(20):
        whole.play(player, step)
    first, again = Selection(settings, 2), Player(outcome)
    for step in range(stop):
        first.play(again, step)
    second = Selection(settings, 2)
    second.load_state_dict(first.state_dict())
    for step in range(stop, 20):
        second.play(again, step)
    assert again.asked == player.asked
    assert second.state_dict() == whole.state_dict()
