"""Which names a query may have. What a route does not read would silently be ignored, and so it is refused."""

from collections.abc import Collection

from starlette.requests import Request

from receiver.errors import RefusedError
from shared.logs import redact
from shared.problems import Problem

_MOST_CHARACTERS = 40
"""Of a name that is told back."""


def refuse_other_names(request: Request, known: Collection[str], problem: Problem = Problem.UNPROCESSABLE) -> None:
    """Refuse parameters that the route does not read, and those given twice.

    Args:
        request: The question.
        known: The names that its route reads.
        problem: What a name that it does not read is.

    Raises:
        RefusedError: As `problem` says. It tells which name is wrong, shortened and inert, and which are known, and
            never a value.
    """
    names = [name for name, _ in request.query_params.multi_items()]
    unknown = next((name for name in names if name not in known), None)
    if unknown is not None:
        shown = f"parameter {redact(unknown, _MOST_CHARACTERS)}" if unknown else "a parameter without a name"
        there_are = ", ".join(known) or "none"
        raise RefusedError(problem, "parameter-unknown", detail=f"{shown} is not known here: there are {there_are}.")
    for name in known:
        if names.count(name) > 1:
            raise RefusedError(problem, f"parameter-{name}", detail=f"{name} must be given once.")
