"""Safelight: develop footage without exposing anyone."""

__version__ = "0.1.0"
