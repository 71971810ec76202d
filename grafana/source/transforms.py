"""Grafana's transformations that our tables and bar charts need."""

from collections.abc import Sequence

from grafana_foundation_sdk.models.dashboard import DataTransformerConfig


def make_transformation(name: str, **options: object) -> DataTransformerConfig:
    """One of Grafana's transformations by its id, e.g. `groupBy`, with its options."""
    return DataTransformerConfig(name, options=options)


def order_columns(*names: str, without: Sequence[str] = ("Time",), **labels: str) -> DataTransformerConfig:
    """Table columns in this order, without some, others renamed (`name="Label"`). Other columns follow in any order."""
    return make_transformation(
        "organize",
        excludeByName=dict.fromkeys(without, True),
        indexByName={name: position for position, name in enumerate(names)},
        renameByName=labels,
    )


def keep_columns(*names: str) -> DataTransformerConfig:
    """These columns of every frame, and no other."""
    return make_transformation("filterFieldsByName", include={"names": list(names)})


def sort_by(column: str, *, descending: bool = False) -> DataTransformerConfig:
    """Rows in the order of one column."""
    return make_transformation("sortBy", fields={}, sort=[{"field": column, "desc": descending}])


def keep_rows(column: str, test: str, value: float) -> DataTransformerConfig:
    """Rows that pass a test: `lower` or `greater` than the value."""
    return make_transformation(
        "filterByValue",
        filters=[{"fieldName": column, "config": {"id": test, "options": {"value": value}}}],
        match="all",
        type="include",
    )


def pivot(rows: str, columns: str, value: str) -> list[DataTransformerConfig]:
    r"""One row per value of one text column and one column per value of another; the first column is `rows\columns`.

    `groupBy` comes first because it makes a column without a display name: the name that the data source gave would
    stand above every column of the matrix.
    """
    return [
        make_transformation(
            "groupBy",
            fields={
                rows: {"aggregations": [], "operation": "groupby"},
                columns: {"aggregations": [], "operation": "groupby"},
                value: {"aggregations": ["sum"], "operation": "aggregate"},
            },
        ),
        make_transformation(
            "groupingToMatrix", columnField=columns, rowField=rows, valueField=f"{value} (sum)", emptyValue="null"
        ),
    ]
