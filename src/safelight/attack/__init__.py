"""Attacking: try to undo our own protection. Trusts neither the plan nor whoever carried it out."""
