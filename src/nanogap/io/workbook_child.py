"""Program that reads workbooks: a path per line on stdin, their cells as JSON on stdout.

It runs by its path, without nanogap, under limits that it sets for itself before it reads anything.
"""

import json
import os
import resource
import sys
from datetime import timedelta
from typing import Any

from python_calamine import CalamineWorkbook

#: Bytes of address space.
_MEMORY = 1536 << 20


def _plain(cell: Any) -> Any:
    if cell is None or cell == "":
        return None
    if isinstance(cell, bool):
        return float(cell)
    if isinstance(cell, str | int | float):
        return cell
    if isinstance(cell, timedelta):
        return cell.total_seconds()
    return cell.isoformat(sep=" ") if hasattr(cell, "hour") and hasattr(cell, "day") else str(cell)


def _sheets(path: str) -> dict[str, list[list[Any]]]:
    with CalamineWorkbook.from_path(path) as workbook:
        return {
            name: [
                [_plain(cell) for cell in row]
                for row in workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
            ]
            for name in workbook.sheet_names
        }


def main() -> None:
    """Serve until stdin ends."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)
    for line in sys.stdin:
        try:
            answer: dict[str, Any] = {"sheets": _sheets(json.loads(line))}
        except KeyboardInterrupt:
            return
        except BaseException as error:
            answer = {"error": " ".join(str(error).split()) or type(error).__name__}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
