"""Sample tasks that this project wrote itself, in each dataset's own raw format.

They are **not** the datasets of those names: every tool, sentence, value and answer is ours. They
let each environment work offline at once. ``python -m toolrl_env.data.bundled.generate`` writes the
``*.jsonl.gz`` files again, byte for byte, from ``catalogue/*.toml``:

``catalogue`` (tools and phrasings) → ``scenes`` (what is said, which calls are right) → one writer
per raw format.
"""
