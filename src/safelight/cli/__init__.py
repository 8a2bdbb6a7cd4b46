"""The commands: words in, words out. Everything they do is done in the rooms below."""

from safelight.cli.app import main

__all__ = ["main"]
