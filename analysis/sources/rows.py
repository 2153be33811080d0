"""Rows with named columns, wherever they lie, as one thing to ask for columns, sums and quantiles.

Sums are compensated and quantiles are values that occur, so that both are the same on every machine and in every run.
What is asked for as numbers must be numbers: text, gaps and nan are refused, with the place of the first.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simoffload.record.durable import RecordError

from .database import MEMORY, Database, quoted, real
from .files import Source, missing_column, source_of

Floats = NDArray[np.float64]
Columns = dict[str, NDArray[Any]]

FETCHED = 1 << 20
"""So many values are sorted in memory to find a quantile; more are first counted in bins."""
BINS = 1 << 12
STREAMED = 1 << 18
"""Values at a time, where a column is read part by part."""
_WHOLE = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "BOOLEAN"}
_REAL = {"FLOAT", "DOUBLE", "UBIGINT", "HUGEINT", "UHUGEINT"}


@dataclass(frozen=True, slots=True)
class Sums:
    """What a column adds up to; min and max are nan of no values."""

    count: int
    sum: float
    min: float
    max: float

    @property
    def mean(self) -> float:
        """Mean of the values; nan of none."""
        return self.sum / self.count if self.count else math.nan


class Rows:
    """Open rows; in SQL they are the table `rows`. Close them, or leave their `with` block, when done.

    `where` is a condition in SQL on the columns of a row, as "status = 0"; an empty one holds for all.
    """

    __slots__ = ("_database", "_name", "columns", "count")

    columns: Mapping[str, str]
    """Names, in order, and their SQL types."""
    count: int
    """Number of rows."""

    def __init__(self, sources: Sequence[Source], memory: str = MEMORY) -> None:
        self._name = f"'{sources[0].path}'" + (f" and {len(sources) - 1} more" if len(sources) > 1 else "")
        self._database = Database(memory)
        try:
            for number, source in enumerate(sources):
                self._open(source, f"source_{number}")
            self.columns = self._joined([f"source_{number}" for number in range(len(sources))], sources)
            self.count = int(self._ask("SELECT count(*) AS n FROM rows")["n"][0])
        except BaseException:
            self._database.close()
            raise

    def array(self, name: str, where: str = "") -> NDArray[Any]:
        """A column of finite numbers, in the order of the rows; whole numbers stay whole.

        RecordError when there is no such column, it holds something else, or a value is missing or not finite.
        """
        column = self._number(name)
        values = self._ask(f"SELECT {column} AS x FROM rows{_condition(where)}")["x"]
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise self._not_finite(name, where, int(np.count_nonzero(~np.isfinite(values))))
        return values

    def stream(self, name: str, where: str = "") -> Iterator[Floats]:
        """The same column part by part, for columns that do not fit into memory; RecordError as for `array`."""
        column = self._number(name)
        for part in self._database.stream(f"SELECT ({column})::DOUBLE AS x FROM rows{_condition(where)}", STREAMED):
            if not np.isfinite(part).all():
                raise self._not_finite(name, where, int(np.count_nonzero(~np.isfinite(part))))
            yield part

    def arrays(self, names: Sequence[str], where: str = "") -> Columns:
        """Several columns as they are, row by row; what is missing is nan among numbers and None elsewhere."""
        for name in names:
            self._require(name)
        return self._ask(f"SELECT {', '.join(quoted(name) for name in names)} FROM rows{_condition(where)}")

    def query(self, sql: str) -> Columns:
        """The answer's columns to a question about the table `rows`; RecordError says what is wrong with it.

        `fsum(x)` sums more exactly than `sum(x)`.
        """
        return self._ask(sql)

    def sums(self, name: str, where: str = "") -> Sums:
        """Count, compensated sum, and extremes of a column of finite numbers; RecordError as for `array`."""
        x = f"({self._number(name)})::DOUBLE"
        found = self._ask(
            f"SELECT count(*) AS n, count(*) FILTER (isfinite({x})) AS finite, fsum({x}) AS s, min({x}) AS low,"
            f" max({x}) AS high FROM rows{_condition(where)}"
        )
        n, finite = int(found["n"][0]), int(found["finite"][0])
        if finite < n:
            raise self._not_finite(name, where, n - finite)
        if not n:
            return Sums(0, 0.0, math.nan, math.nan)
        return Sums(n, float(found["s"][0]), float(found["low"][0]), float(found["high"][0]))

    def quantiles(self, name: str, shares: Sequence[float], where: str = "") -> Floats:
        """For each share p the smallest value v with a share of at least p of all values <= v; nan of no values.

        Exact, in memory that does not grow with the rows. RecordError as for `array`, ValueError when a share is not
        within (0, 1).
        """
        for share in shares:
            if not 0 < share < 1:
                raise ValueError(f"a quantile is of a share within (0, 1), not {share}")
        found = self.sums(name, where)
        if not found.count:
            return np.full(len(shares), math.nan)
        ranks = np.array([max(math.ceil(share * found.count * (1 - 1e-14)), 1) for share in shares], dtype=np.int64)
        return self._ranked(f"({self._number(name)})::DOUBLE", where, ranks, found)

    def close(self) -> None:
        """Let go of memory and temporary files."""
        self._database.close()

    def __enter__(self) -> Rows:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def _ask(self, sql: str) -> Columns:
        try:
            return self._database.ask(sql)
        except RecordError as error:
            raise RecordError(f"{self._name}: {error}") from None

    def _open(self, source: Source, view: str) -> None:
        try:
            self._database.ask(f"CREATE {'TABLE' if source.is_text else 'VIEW'} {view} AS FROM {source.table}")
            names = list(self._types(view))
            self._database.ask(f"SELECT count(*) FROM {view}")
        except RecordError as error:
            raise RecordError(f"'{source.path}' cannot be read: {error}") from None
        if all(_is_number(name) for name in names):
            raise RecordError(f"'{source.path}' does not name its columns: it begins with {', '.join(names)}")

    def _joined(self, views: Sequence[str], sources: Sequence[Source]) -> Mapping[str, str]:
        """Make `rows` of the views, with the number of each source if there are several; its columns."""
        first = list(self._types(views[0]))
        if len(views) == 1:
            self._database.ask(f"CREATE VIEW rows AS FROM {views[0]}")
            return self._types("rows")
        if "source" in first:
            raise RecordError(f"'{sources[0].path}' has a column 'source', which is the number of a file among several")
        for view, source in zip(views, sources, strict=True):
            names = list(self._types(view))
            if set(names) != set(first):
                odd = sorted(set(names) ^ set(first))
                raise RecordError(f"'{source.path}' and '{sources[0].path}' do not go together: one lacks '{odd[0]}'")
        parts = (f"SELECT {number}::INTEGER AS source, * FROM {view}" for number, view in enumerate(views))
        self._database.ask(f"CREATE VIEW rows AS {' UNION ALL BY NAME '.join(parts)}")
        return self._types("rows")

    def _types(self, view: str) -> Mapping[str, str]:
        found = self._database.ask(f"SELECT column_name, column_type FROM (DESCRIBE {view})")
        return dict(zip(found["column_name"].tolist(), found["column_type"].tolist(), strict=True))

    def _require(self, name: str) -> str:
        if name not in self.columns:
            raise missing_column(name, self._name, list(self.columns))
        return self.columns[name]

    def _number(self, name: str) -> str:
        """The column in SQL, as a number that numpy has too."""
        kind = self._require(name)
        if kind in _WHOLE:
            return quoted(name) if kind != "BOOLEAN" else f"{quoted(name)}::TINYINT"
        if kind in _REAL or kind.startswith("DECIMAL"):
            return f"{quoted(name)}::DOUBLE"
        found = self._ask(
            f"SELECT * FROM (SELECT row_number() OVER () AS place, {quoted(name)}::VARCHAR AS x FROM rows)"
            f" WHERE x IS NOT NULL AND TRY_CAST(x AS DOUBLE) IS NULL LIMIT 1"
        )
        example = f", as '{found['x'][0]}' in row {found['place'][0]}" if len(found["x"]) else ""
        raise RecordError(f"{self._name}: column '{name}' is {kind}{example}, where numbers are needed")

    def _not_finite(self, name: str, where: str, number: int) -> RecordError:
        x = f"{self._number(name)}::DOUBLE"
        found = self._ask(
            f"SELECT place, x FROM"
            f" (SELECT row_number() OVER () AS place, {x} AS x, ({where or 'true'}) AS kept FROM rows)"
            f" WHERE kept AND coalesce(NOT isfinite(x), true) LIMIT 1"
        )
        row, value = int(found["place"][0]), float(found["x"][0])
        count = "value is no finite number" if number == 1 else "values are no finite numbers"
        return RecordError(
            f"{self._name}: {number} {count} in column '{name}', the first in row {row}: "
            f"{'nan or missing' if math.isnan(value) else value}; such rows can be left out by a condition, "
            f"as isfinite({name})"
        )

    def _ranked(self, x: str, where: str, ranks: NDArray[np.int64], within: Sums) -> Floats:
        """The values of ranks, from 1, among those within the extremes; where they are many, bin by bin."""
        low, high = within.min, within.max
        if low == high:
            return np.full(len(ranks), low)
        inside = f"({where or 'true'}) AND {x} BETWEEN {real(low)} AND {real(high)}"
        width = (high / 2 - low / 2) / BINS
        if within.count <= FETCHED or width == 0:
            values: Floats = np.sort(self._ask(f"SELECT {x} AS x FROM rows WHERE {inside}")["x"])
            return values[ranks - 1]
        bins = self._ask(
            f"SELECT floor(({x} / 2 - {real(low / 2)}) / {real(width)}) AS bin, count(*) AS n, min({x}) AS low,"
            f" max({x}) AS high FROM rows WHERE {inside} GROUP BY bin ORDER BY bin"
        )
        ends = np.cumsum(bins["n"])
        places = np.searchsorted(ends, ranks)
        found = np.empty(len(ranks))
        for place in np.unique(places).tolist():
            here = places == place
            number = int(bins["n"][place])
            part = Sums(number, math.nan, float(bins["low"][place]), float(bins["high"][place]))
            found[here] = self._ranked(x, where, ranks[here] - (ends[place] - number), part)
        return found


def open_rows(path: str | Path | Sequence[str | Path], kind: str = "tasks", memory: str = MEMORY) -> Rows:
    """Open a run directory, a CSV or Parquet file, or several of these, as one table.

    `kind` says which rows of a run directory: tasks, subtasks, links or nodes. Several get a column `source`, the place
    of a row's path among those given, from 0. RecordError says which path cannot be read, and why.
    """
    paths = [path] if isinstance(path, str | Path) else list(path)
    if not paths:
        raise RecordError("no rows without a run directory or a file")
    return Rows([source_of(Path(each), kind) for each in paths], memory)


def _condition(where: str) -> str:
    return f" WHERE ({where})" if where else ""


def _is_number(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True
