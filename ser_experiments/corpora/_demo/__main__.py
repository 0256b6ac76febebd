"""Build one session in a process of its own: ``python -m ser_experiments.corpora._demo ROOT SEED SESSION``."""

from __future__ import annotations

import sys
from pathlib import Path

from ser_experiments.corpora._demo.session import write_session
from ser_experiments.errors import SerError


def main() -> int:
    """Write the session and print the number of utterances of each dialog as it is done."""
    root, seed, session = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    try:
        for n_utterances in write_session(root, seed, session):
            print(n_utterances, flush=True)
    except SerError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
