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

from gateway.config.json_schema import connection_schema, gateway_schema
from gateway.config.reference_table import reference
from gateway.registry import driver_names, driver_spec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.config.json_schema import Schema

__all__ = ["connection_schema", "gateway_schema", "generated_files", "main"]

BEGIN: Final = "<!-- reference:begin -->"
END: Final = "<!-- reference:end -->"


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
    files |= {schemas / f"connection-{spec.name}.schema.json": _json(connection_schema(spec)) for spec in specs}
    readme = folder / "README.md"
    if readme.is_file():
        files[readme] = with_reference(readme.read_text(encoding="utf-8"), reference(specs))
    return files


def with_reference(text: str, tables: str) -> str:
    """A text with these tables between its marks; marks are added at its end where it has none."""
    if BEGIN not in text:
        text = f"{text.rstrip()}\n\n## All keys\n\n{BEGIN}\n{END}\n"
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{tables}\n\n{END}{rest.partition(END)[2]}"


def _json(schema: Schema) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(main())
