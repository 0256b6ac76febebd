"""What the errors of a store mean."""

from __future__ import annotations

import re
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from ser_experiments.errors import StoreError
from ser_experiments.secret import reason
from ser_experiments.tracking.backend import StoreAway

#: What MLflow answers when it was asked for nonsense, or by somebody who may not; everything else means that it cannot
#: be reached or is ill.
_REFUSED = {
    "INVALID_PARAMETER_VALUE", "BAD_REQUEST", "INVALID_STATE", "RESOURCE_ALREADY_EXISTS", "PERMISSION_DENIED",
    "UNAUTHENTICATED", "CUSTOMER_UNAUTHORIZED", "NOT_FOUND", "ENDPOINT_NOT_FOUND", "NOT_IMPLEMENTED",
}  # fmt: skip
#: What it answers when it was asked for something that is not there.
_GONE = "RESOURCE_DOES_NOT_EXIST"
#: What whoever stands before a server, such as a proxy, refuses; 408, 425 and 429 mean later.
_REFUSED_BEFORE = re.compile(r"failed with error code 4(?!08|25|29)\d\d\b")


@contextmanager
def answering(what: str = "") -> Iterator[None]:
    """Turn what a store raises meanwhile into errors of this project; `what` begins each message."""
    try:
        yield
    except Exception as error:
        # requests' and urllib3's errors are OSErrors or wrapped by MLflow; a damaged database may hold what is no text
        if not (isinstance(error, OSError | sqlite3.Error | UnicodeDecodeError) or _is_mlflows(error)):
            raise
        kind = StoreAway if is_away(error) else StoreError
        raise kind(f"{what}: {reason(error)}" if what else reason(error)) from error


def is_away(error: BaseException) -> bool:
    """Whether an error means that the store cannot be reached or is ill, so that trying later makes sense.

    A folder that this machine cannot write stays so: where a server keeps files on its own disk, no later try helps.
    """
    if _is_mlflows(error):
        refused = getattr(error, "error_code", None) in _REFUSED or _REFUSED_BEFORE.search(str(error))
        return not refused
    stays_so = PermissionError | FileNotFoundError | NotADirectoryError | FileExistsError | sqlite3.IntegrityError
    return not isinstance(error, stays_so)


def is_gone(error: BaseException) -> bool:
    """Whether an error means that what was asked for is not there."""
    return getattr(error, "error_code", None) == _GONE


def _is_mlflows(error: BaseException) -> bool:
    """Whether MLflow raised it; asked of what is imported, since this alone is no reason to import MLflow."""
    known = sys.modules.get("mlflow.exceptions")
    return known is not None and isinstance(error, known.MlflowException)
