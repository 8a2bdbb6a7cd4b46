"""Carry out a plan: fill the hidden regions, write the copy, show what was done. Nothing here decides."""
