"""What is wrong between keys of a file, told where it stands: pydantic's validators know only one place each."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

if TYPE_CHECKING:
    from collections.abc import Iterable


class Fault(NamedTuple):
    """One thing that is wrong."""

    path: tuple[str | int, ...]
    """The keys that lead to it, from the model that tells it."""
    text: str

    def under(self, *path: str) -> Fault:
        """The same, seen from further up."""
        return Fault((*path, *self.path), self.text)


def raise_faults(title: str, faults: Iterable[Fault]) -> None:
    """Tell all faults in one error; none where there are none.

    Raises:
        ValidationError: pydantic takes it from a validator and completes the paths.
    """
    details = [
        InitErrorDetails(type=PydanticCustomError("value_error", "{error}", {"error": text}), loc=path, input=None)
        for path, text in faults
    ]
    if details:
        raise ValidationError.from_exception_data(title, details)
