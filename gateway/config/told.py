"""What is told of a file while it is read: each mistake once, in its best words, and nothing of a secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.config.document import Document, Place
    from gateway.config.problems import Problem
    from gateway.config.syntax import Sentence


class Told:
    """Collects the problems of one document. One mistake may show twice: as a strange value, then as bad YAML."""

    def __init__(self, document: Document) -> None:
        self.hidden = False
        """Inside the value of a key such as `password`: nothing of it may be shown."""
        self._document = document
        self._problems = document.problems
        self._suspect_line = -1
        self._empty: list[Problem] = []
        self._strange: list[Sentence] = []

    def tell(self, sentence: Sentence) -> None:
        """Tell a problem, unless it stands inside a secret."""
        if not self.hidden:
            self._problems.append(self._document.problem(*sentence))

    def tell_empty(self, sentence: Sentence) -> None:
        """Tell of a key without a value. A syntax error that follows may be the same mistake."""
        self.tell(sentence)
        if not self.hidden:
            self._empty.append(self._problems[-1])

    def tell_long(self, sentence: Sentence, last: Place) -> None:
        """Tell of a text over several lines up to `last`. A syntax error beside its end is the same mistake."""
        self.tell(sentence)
        if not self.hidden:
            self._suspect_line = last.line

    def note_strange(self, sentence: Sentence) -> None:
        """Keep what may explain a syntax error that follows. Without one, the models say more about it."""
        if not self.hidden:
            self._strange.append(sentence)

    def tell_stop(self, sentence: Sentence) -> None:
        """Tell where the text stops being YAML, unless what was told just before says it better."""
        self.hidden = False
        explained = self._tell_strange(sentence.place)
        if explained or abs(sentence.place.line - self._suspect_line) <= 1:
            return
        last = self._problems[-1] if self._problems else None
        same = [empty for empty in self._empty if empty.line == sentence.place.line or empty is last]
        if any(empty.hint for empty in same):
            return
        for empty in same:
            self._problems.remove(empty)
        self.tell(sentence)

    def _tell_strange(self, stop: Place) -> bool:
        """Tell of the strange keys before a syntax error; whether one stands in its line and thus explains it."""
        told = {(problem.line, problem.column) for problem in self._problems}
        for strange in self._strange:
            if strange.place[:2] not in told:
                self.tell(strange)
        return any(strange.place.line == stop.line for strange in self._strange)
