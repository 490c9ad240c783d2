"""Chinese word splitting for search (中文切分): every pair of neighbouring characters is a word, so that 两字词 are found.

No dictionary: a word of two characters is one pair, a longer one is its pairs side by side. The last character of a run
stands alone as well, so that a search for one character finds it wherever it is. Latin words and numbers stay whole,
in lower case; a number is found with and without its leading zeros.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

_HAN = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
_RUN = re.compile(rf"[{_HAN}]+|[^\W_{_HAN}]+")
_IS_HAN = re.compile(rf"[{_HAN}]")
WEIGHTS = ("A", "B", "C", "D")
"""The weights of PostgreSQL's text search, the heaviest first."""

QUERY_RUNS_MAX = 16
POSITION_MAX = 16_383
"""PostgreSQL keeps no position beyond this one."""


def runs(text: str) -> tuple[str, ...]:
    """Return the stretches of Chinese characters and the Latin words and numbers of a text, in lower case."""
    return tuple(_RUN.findall(unicodedata.normalize("NFKC", text).casefold()))


def search_document(parts: Sequence[tuple[str, str]]) -> str:
    """Return the text of a `tsvector` of several texts, each with its weight (A to D).

    Between two texts a place stays empty, so that no phrase begins in one and ends in the next.
    """
    lexemes: list[str] = []
    place = 0
    for text, weight in parts:
        if weight not in WEIGHTS:
            message = f"{weight!r} is no weight"
            raise ValueError(message)
        for word, step in _words(text):
            place = min(place + step, POSITION_MAX)
            lexemes.append(f"'{word}':{place}{weight}")
        place += 1
    return " ".join(lexemes)


def search_query(text: str) -> str:
    """Return the text of a `tsquery` that finds documents with every run of a text; empty where it has none.

    Chinese runs are found as they stand; Latin words and numbers also by their beginning.
    """
    wanted: Iterable[str] = dict.fromkeys(runs(text)[:QUERY_RUNS_MAX])
    return " & ".join(_asked(run) for run in wanted)


def marked_spans(text: str, query: str) -> tuple[tuple[str, bool], ...]:
    """Return a text in pieces, each with whether it is what the query asked for; joined they are the text."""
    wanted = sorted(set(runs(query)), key=len, reverse=True)
    if not wanted:
        return ((text, False),)
    found = re.compile("|".join(re.escape(run) for run in wanted), re.IGNORECASE)
    pieces: list[tuple[str, bool]] = []
    end = 0
    for match in found.finditer(text):
        if match.start() > end:
            pieces.append((text[end : match.start()], False))
        pieces.append((match[0], True))
        end = match.end()
    if end < len(text):
        pieces.append((text[end:], False))
    return tuple(pieces)


def _words(text: str) -> Iterator[tuple[str, int]]:
    """Yield each word with how many places it lies behind the one before."""
    for run in runs(text):
        if _IS_HAN.match(run):
            for index in range(len(run)):
                yield run[index : index + 2], 1
            continue
        yield run, 1
        bare = run.lstrip("0")
        if bare and bare != run:
            yield bare, 0


def _asked(run: str) -> str:
    if len(run) == 1 or not _IS_HAN.match(run):
        return f"'{run}':*"
    pairs = [f"'{run[index : index + 2]}'" for index in range(len(run) - 1)]
    return pairs[0] if len(pairs) == 1 else f"({' <-> '.join(pairs)})"
