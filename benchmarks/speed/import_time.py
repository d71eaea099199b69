"""Time to ``import toolrl_env`` against ``import gymnasium``, each in fresh interpreters.

Run ``python -m benchmarks.speed.import_time``. The aim is a ratio below 1.2.
"""

from __future__ import annotations

import statistics
import subprocess
import sys

from rich.console import Console

ROUNDS = 15
_PROGRAM = "import time; t = time.process_time(); import {}; print(time.process_time() - t)"


def main() -> None:
    """Import both in turns and print the median times and the median ratio."""
    for module in ("gymnasium", "toolrl_env"):  # compile and warm the disk cache
        seconds(module)
    rounds = [(seconds("gymnasium"), seconds("toolrl_env")) for _ in range(ROUNDS)]
    ratio = statistics.median(ours / gymnasium for gymnasium, ours in rounds)
    gymnasium, ours = (statistics.median(times) * 1e3 for times in zip(*rounds, strict=True))
    Console().print(
        f"import gymnasium {gymnasium:.0f} ms, import toolrl_env {ours:.0f} ms (CPU, median of "
        f"{ROUNDS}); ratio {ratio:.2f}"
    )


def seconds(module: str) -> float:
    """Return the CPU seconds that importing ``module`` takes in a fresh interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(module)], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


if __name__ == "__main__":
    main()
