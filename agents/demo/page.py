"""The report as one HTML file that needs nothing else."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict
from html import escape
from pathlib import Path

from agents.demo.pipeline import STAGES, DemoResult
from agents.demo.table import HEADERS, example_indices, rows

__all__ = ["write_page"]

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
       color: #222; background: #fff; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid #ccc; padding: .4rem .6rem; text-align: left; }
img { max-width: 100%; }
pre { background: #f4f4f4; padding: .6rem; white-space: pre-wrap; overflow-wrap: anywhere; }
.gold { background: #eaf3e6; }
"""


def write_page(result: DemoResult, figure: Path, path: Path) -> None:
    """Write the page: table, figure, examples, times, settings.

    Args:
        result: The run.
        figure: The PNG to embed.
        path: The file to write.
    """
    image = base64.b64encode(figure.read_bytes()).decode("ascii")
    what = (
        f"Model {result.recipe.model}, seed {result.seed}; {result.recipe.held_out} held-out "
        "tasks, answered greedily; 95 % bootstrap intervals."
    )
    choice = "The first held-out tasks that the warm start did not answer perfectly."
    sections = [
        f"<h1>GRPO on {escape(result.recipe.env)}</h1>",
        f"<p>{escape(what)}</p>",
        _results(result),
        "<h2>Learning curve and reward components</h2>",
        f'<img alt="Learning curve" src="data:image/png;base64,{image}">',
        f"<h2>Examples</h2><p>{choice}</p>",
        *(_example(result, index) for index in example_indices(result)),
        "<h2>Time</h2>",
        _times(result),
        "<h2>Settings</h2>",
        f"<pre>{escape(json.dumps(_settings(result), indent=2))}</pre>",
    ]
    head = f'<meta charset="utf-8"><title>ToolRL-Env demo</title><style>{_STYLE}</style>'
    page = f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n'
    path.write_text(page + "\n".join(sections) + "\n</body></html>\n", encoding="utf-8")


def _table(headers: tuple[str, ...], lines: list[tuple[str, ...]]) -> str:
    head = "".join(f"<th>{escape(header)}</th>" for header in headers)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in line) + "</tr>" for line in lines
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _results(result: DemoResult) -> str:
    table = _table(HEADERS, rows({s: got.summary() for s, got in result.evaluations.items()}))
    return f"{table}<p>Reward gained by GRPO, paired by task: <b>{result.gain.signed()}</b>.</p>"


def _example(result: DemoResult, index: int) -> str:
    first = result.evaluations[STAGES[0]]
    parts = [
        f"<h3>{escape(first.questions[index])}</h3>",
        f'<p>Gold answer</p><pre class="gold">{escape(first.golds[index])}</pre>',
    ]
    for stage in STAGES:
        got = result.evaluations[stage]
        parts.append(f"<p>{escape(stage)}: reward {got.rewards[index]:.2f}</p>")
        parts.append(f"<pre>{escape(got.answers[index])}</pre>")
    return "\n".join(parts)


def _times(result: DemoResult) -> str:
    lines = [
        (stage, f"{seconds:.0f}", f"{result.cpu_seconds[stage]:.0f}")
        for stage, seconds in result.seconds.items()
    ]
    total = (sum(result.seconds.values()), sum(result.cpu_seconds.values()))
    lines.append(("in all", f"{total[0]:.0f}", f"{total[1]:.0f}"))
    return _table(("stage", "wall s", "processor s"), lines)


def _settings(result: DemoResult) -> dict[str, object]:
    return {
        "seed": result.seed,
        **asdict(result.recipe),
        "machine": dict(result.machine),
        "checkpoint": str(result.checkpoint),
        "answers_repeated_after_loading_again": result.reloaded,
    }
