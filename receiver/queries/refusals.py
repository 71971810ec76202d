"""A question that cannot be answered as it was put, as a refusal that says what to change."""

from receiver.errors import RefusedError
from shared.problems import Problem


def make_refusal(parameter: str, advice: str) -> RefusedError:
    """The refusal (422) of one parameter of a question.

    Args:
        parameter: Its name in the query, e.g. "start"; one of ours, never what was sent.
        advice: What is wrong with it and what to change: goes on after the name, without a full stop at the end.
    """
    return RefusedError(Problem.UNPROCESSABLE, f"parameter-{parameter}", detail=f"{parameter} {advice}.")
