"""Predict the emotion of recordings, as in ``python predict.py call.wav other.wav``."""

import argparse
import json
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# The code that lies beside, whatever is installed.
sys.path.insert(0, str(HERE))
if (HERE / "plugins").is_dir():
    os.environ["SER_PLUGINS"] = str(HERE / "plugins")


def main() -> int:
    """Print one JSON object a recording; return 1 where one could not be used."""
    parser = argparse.ArgumentParser(description="Predict the emotion of recordings, one JSON object a line.")
    parser.add_argument("recordings", nargs="+", help="audio files")
    parser.add_argument("--enrol", nargs="+", help="recordings of the speaker, for a model that asks for them")
    asked = parser.parse_args()
    from ser_experiments.errors import SerError
    from ser_experiments.serving import load_folder

    bad = 0
    try:
        model = load_folder(HERE / "model")
        if asked.enrol:
            model = model.for_speaker(asked.enrol)
        model.check_ready()
        for path in asked.recordings:
            (answer,) = model.predict([path])
            bad += bool(answer["error"])
            print(json.dumps({"path": path, **answer}), flush=True)
    except SerError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
