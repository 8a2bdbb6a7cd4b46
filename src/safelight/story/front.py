"""YAML at the beginning of files and inside directives: plain values, checked, every mistake with its line.

The loader makes plain values only and refuses aliases, which could make a small file a huge document.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from safelight.errors import Code, SafelightError
from safelight.story.parts import Front

MOST_FRONT = 64 << 10  # bytes of YAML
F = TypeVar("F", bound=Front)


class _Plain(yaml.SafeLoader):
    """Plain values without aliases, every key once."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem="aliases are not allowed", problem_mark=mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        """A mapping; of a key that stands twice, YAML would silently take the last."""
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a key is a word", problem_mark=key.start_mark)
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"`{key.value}:` stands here twice", problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


# dates stay text: a date that YAML turns into an object would lose what the editor wrote
_Plain.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_yaml(text: str, file: str, first: int = 1) -> Any:
    """Plain values of a YAML text that begins on line ``first``. Raises SL-STORY-INVALID with the line."""
    with _refusing(text, file, first):
        return yaml.load(text, _Plain)


def read_items(text: str, file: str, first: int) -> list[tuple[Any, int]] | None:
    """The items of a YAML list, each with the line it begins on; None when it is no list. Raises as read_yaml."""
    with _refusing(text, file, first):
        loader = _Plain(text)
        node = loader.get_single_node()
        if not isinstance(node, yaml.SequenceNode):
            return None
        return [(loader.construct_object(item, deep=True), first + item.start_mark.line) for item in node.value]


@contextlib.contextmanager
def _refusing(text: str, file: str, first: int) -> Iterator[None]:
    if len(text.encode()) > MOST_FRONT:
        raise at(Code.STORY_INVALID, file, first, f"This is larger than {MOST_FRONT >> 10} KiB.")
    try:
        yield
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = first + (mark.line if mark else 0)
        raise at(Code.STORY_INVALID, file, line, f"This is not readable: {error.problem}.") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise at(Code.STORY_INVALID, file, first, f"This is not readable: {str(error)[:200]}.") from error


def front(kind: type[F], values: Any, text: str, file: str, first: int = 1) -> F:
    """Values as a checked document. Raises SL-STORY-INVALID with the line of the wrong key."""
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        wrong = error.errors(include_input=False, include_url=False)[0]
        keys = [str(part) for part in wrong["loc"]]
        line = first + line_of_key(text, keys)
        raise at(Code.STORY_INVALID, file, line, f"{'.'.join(keys) or 'The whole'}: {wrong['msg']}.") from error


def line_of_key(text: str, keys: list[str]) -> int:
    """How many lines below the first a nested key stands."""
    line = 0
    rows = text.splitlines()
    for key in keys:
        for number in range(line, len(rows)):
            if rows[number].lstrip(" -").startswith((f"{key}:", f'"{key}":')):
                line = number
                break
    return line


def at(code: Code, file: str, line: int, detail: str) -> SafelightError:
    """A refusal with file and line."""
    return SafelightError(code, detail, file=f"{file}:{line}")
