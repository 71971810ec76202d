"""Grafana's expressions, as far as our rules use them: reduce, math and threshold, joined by labels.

A second reading of `pkg/expr` in Grafana's source, for the tests alone:

- one result per set of labels; two equal sets of labels in one step are an error;
- a step without results is "no data", and so is what is computed from it;
- two results join if their labels are equal or those of one contain those of the other; if nothing joins and each side
  has exactly one, these two do (Grafana calls that questionable itself);
- `&&` looks at its right side only if the left one is not 0; what is no number stays none; a threshold makes 0 of it.
"""

import ast
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Labels = frozenset[tuple[str, str]]
Numbers = dict[Labels, float]
SeriesValues = dict[Labels, list[float | None]]
_NONE: Labels = frozenset()

_REDUCERS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "last": lambda values: values[-1],
    "sum": math.fsum,
    "min": min,
    "max": max,
    "mean": lambda values: math.fsum(values) / len(values),
    "count": len,
}
_BINARY: Mapping[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: lambda left, right: left / right if right else math.inf * left,
}
_COMPARE: Mapping[type, Callable[[float, float], bool]] = {
    ast.Gt: operator.gt,
    ast.Lt: operator.lt,
    ast.GtE: operator.ge,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_THRESHOLDS: Mapping[str, Callable[[float, float], bool]] = {"gt": operator.gt, "lt": operator.lt}


def reduce(series: SeriesValues, reducer: str, mode: str) -> Numbers:
    """One number per series; values that are no numbers are left out."""
    assert mode == "dropNN", "the only mode that the rules use"
    result = {}
    for labels, values in series.items():
        numbers = [value for value in values if value is not None and math.isfinite(value)]
        empty = 0.0 if reducer in {"sum", "count"} else math.nan
        result[labels] = float(_REDUCERS[reducer](numbers)) if numbers else empty
    return result


def compare_with_limit(numbers: Numbers, kind: str, limit: float) -> Numbers:
    """1 where the number is beyond the limit, else 0."""
    return {labels: float(_THRESHOLDS[kind](value, limit)) for labels, value in numbers.items()}


def compute_formula(text: str, steps: Mapping[str, Numbers]) -> Numbers:
    """A math expression. Python reads the operators in use with the same precedence as Grafana's parser."""
    python = text.replace("$", "").replace("&&", " and ").replace("||", " or ")
    return _walk(ast.parse(python, mode="eval").body, steps)


def _walk(node: Any, steps: Mapping[str, Numbers]) -> Numbers:
    match node:
        case ast.Constant(value=int() | float() as value):
            return {_NONE: float(value)}
        case ast.Name(id=name):
            return steps[name]
        case ast.Call(func=ast.Name(id="abs"), args=[argument]):
            return {labels: abs(value) for labels, value in _walk(argument, steps).items()}
        case ast.BinOp(left=left, op=op, right=right):
            return _join(_walk(left, steps), _walk(right, steps), _BINARY[type(op)])
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return _join(_walk(left, steps), _walk(right, steps), _COMPARE[type(op)])
        case ast.BoolOp(op=ast.And(), values=[left, right]):
            return _join(_walk(left, steps), _walk(right, steps), _combine)
    raise ValueError(f"not an expression of our rules: {ast.unparse(node)}")


def _combine(left: float, right: float) -> float:
    if left == 0:
        return 0.0
    return math.nan if math.isnan(left) or math.isnan(right) else float(right != 0)


def _join(left: Numbers, right: Numbers, op: Callable[[float, float], float]) -> Numbers:
    def apply(one: float, other: float) -> float:
        if op is not _combine and (math.isnan(one) or math.isnan(other)):
            return math.nan
        return float(op(one, other))

    result: Numbers = {}
    for mine, one in left.items():
        for yours, other in right.items():
            if mine <= yours or yours <= mine:
                labels = mine | yours
                assert labels not in result, f"two results for {set(labels)}"
                result[labels] = apply(one, other)
    if not result and len(left) == len(right) == 1:
        result[_NONE] = apply(*left.values(), *right.values())
    return result
