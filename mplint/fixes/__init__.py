"""Fixes: what a rule does to nodes and lines becomes the smallest edits of the text, applied in rounds and written in one step."""
