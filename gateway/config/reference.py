"""Writes what derives from the models: JSON Schemas for editors and the reference of all keys.

`python -m gateway.config.reference [DIR]` writes below the folder `config` of the checkout, or another one;
`--check` changes nothing and exits with 1 where a file is out of step.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gateway.config.errors import all_entries, pages
from gateway.config.json_schema import connection_schema, derived_schema, gateway_schema, profile_schema
from gateway.config.reference_table import reference
from gateway.registry import driver_names, driver_spec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.config.json_schema import Schema

__all__ = ["connection_schema", "derived_schema", "gateway_schema", "generated_files", "main"]

BEGIN: Final = "<!-- reference:begin -->"
END: Final = "<!-- reference:end -->"
ERRORS_BEGIN: Final = "<!-- errors:begin -->"
ERRORS_END: Final = "<!-- errors:end -->"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files, or compare them. Returns 1 where `--check` finds one out of step."""
    parser = argparse.ArgumentParser(prog="python -m gateway.config.reference", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("config"), metavar="DIR")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 where a file is out of step")
    args = parser.parse_args(arguments)
    files = generated_files(args.folder)
    stale = [path for path, text in files.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    if args.check:
        sys.stderr.writelines(f"{path} is out of step: run python -m gateway.config.reference\n" for path in stale)
        return 1 if stale else 0
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[path], encoding="utf-8")
    return 0


def generated_files(folder: Path) -> dict[Path, str]:
    """Path and content of every file that derives from the models; README.md only where it stands already."""
    specs = [driver_spec(name) for name in driver_names()]
    schemas = folder / "schema"
    files = {schemas / "gateway.schema.json": _json(gateway_schema())}
    files[schemas / "derived.schema.json"] = _json(derived_schema())
    files[schemas / "profile.schema.json"] = _json(profile_schema())
    files |= {schemas / f"connection-{spec.name}.schema.json": _json(connection_schema(spec)) for spec in specs}
    readme = folder / "README.md"
    if readme.is_file():
        text = readme.read_text(encoding="utf-8")
        text = with_part(text, "All errors", ERRORS_BEGIN, pages(all_entries()), ERRORS_END)
        files[readme] = with_part(text, "All keys", BEGIN, reference(specs), END)
    return files


def with_part(text: str, title: str, begin: str, part: str, end: str) -> str:
    """A text with this part between two marks; a chapter is added at its end where it has none."""
    if begin not in text:
        text = f"{text.rstrip()}\n\n## {title}\n\n{begin}\n{end}\n"
    before, _, rest = text.partition(begin)
    return f"{before}{begin}\n\n{part}\n\n{end}{rest.partition(end)[2]}"


def _json(schema: Schema) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(main())
