"""Checkers for the exercises, one module a notebook: the answer key.

Each returns one line of text and never raises: "Not answered yet" for None, "Yes: ..." for a right answer, and
for any other "Not yet: ..." with a hint at what went wrong. They compute what they compare with where they can.
"""
