"""The main job: a model is warm-started, trained by GRPO, and compared on held-out tasks.

python -m agents.demo [--quick] [--seed N] [--out runs/demo]
"""
