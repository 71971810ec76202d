"""The Dockerfile, taken apart into its targets."""

import re
from pathlib import Path
from typing import Final

TEXT: Final = (Path(__file__).parents[2] / "Dockerfile").read_text(encoding="utf-8")
PROGRAMS: Final = ("scraper", "receiver", "simulator")


def _parse_stages() -> dict[str, tuple[str, str]]:
    """The base and the instructions of each stage, by its name."""
    _, *stages = re.split(r"^FROM ", TEXT, flags=re.MULTILINE)
    heads = [re.match(r"(\S+) AS (\S+)\n", stage) for stage in stages]
    return {head[2]: (head[1], stage[head.end() :]) for head, stage in zip(heads, stages, strict=True) if head}


def join_bases(name: str) -> str:
    """What a stage runs, the stages that it stands on first."""
    base, text = STAGES[name]
    return (join_bases(base) if base in STAGES else "") + text


STAGES: Final = _parse_stages()
IMAGES: Final = {name: join_bases(name) for name in PROGRAMS}
"""What each running image consists of, beside the environment that it copies."""
ENVIRONMENTS: Final = {name: join_bases(f"{name}-environment") for name in PROGRAMS}
"""How the environment of each image is made."""


def list_made_directories(name: str) -> set[str]:
    """The directories of an image that belong to its user."""
    made = re.search(r"install -d -o 10001 -g 10001 -m 0700 (.*)", IMAGES[name])
    assert made is not None
    return set(made[1].split())
