"""Write the documents that follow from the code: `python docs/generate.py`. A test fails when they are out of date."""

from __future__ import annotations

import json
from pathlib import Path

from safelight.account import Account
from safelight.errors import NEXT_STEP, Code
from safelight.plan import schema

HERE = Path(__file__).parent


def documents() -> dict[str, str]:
    """File name to text of every generated document."""
    account = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Account.model_json_schema(by_alias=True)}
    rows = "\n".join(f"| `{code.value}` | {NEXT_STEP[code]} |" for code in Code)
    codes = (
        "# Codes\n\nEvery refusal has one of these codes; a code never changes its meaning. The message beside it says"
        f" what happened and to which file.\n\n| code | what to do |\n|---|---|\n{rows}\n"
    )
    return {
        "plan.schema.json": json.dumps(schema(), indent=1) + "\n",
        "account.schema.json": json.dumps(account, indent=1) + "\n",
        "codes.md": codes,
    }


if __name__ == "__main__":
    for name, text in documents().items():
        (HERE / name).write_text(text)
