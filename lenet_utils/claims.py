"""What a notebook claims, said in one line that is checked while it runs."""

import os

from lenet_utils.training import is_fast


def holds(sentence: str, condition, full_run: bool = False) -> None:
    """Check a claim and print it: "holds: ..." where it is so.

    A reader who has changed something may make it false; then the line says so, and the notebook goes on. Where the
    environment variable ``LENET_STRICT`` is 1, as it is in the tests and when the course's outputs are stored, a
    false claim is an error.

    Args:
        sentence: the claim, as a sentence that can be true or false.
        condition: what decides it: True or False.
        full_run: the claim is about the full run alone; a shortened one passes it over.

    Raises:
        AssertionError: the claim is false, and ``LENET_STRICT`` is 1.
    """
    if full_run and is_fast():
        print(f"passed over in a shortened run: {sentence}")
    elif condition:
        print(f"holds: {sentence}")
    elif os.environ.get("LENET_STRICT") == "1":
        raise AssertionError(f"does not hold: {sentence}")
    else:
        print(f"does not hold here: {sentence}")
