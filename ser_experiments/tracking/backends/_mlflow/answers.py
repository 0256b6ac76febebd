"""What MLflow's errors mean."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mlflow.exceptions import MlflowException
from mlflow.protos import databricks_pb2

from ser_experiments.errors import StoreError
from ser_experiments.tracking.backend import StoreAway

#: What the store answers when it was asked for nonsense; everything else means that it cannot be reached or is ill.
_NONSENSE = {
    databricks_pb2.ErrorCode.Name(code)
    for code in (
        databricks_pb2.INVALID_PARAMETER_VALUE, databricks_pb2.BAD_REQUEST, databricks_pb2.INVALID_STATE,
        databricks_pb2.RESOURCE_ALREADY_EXISTS, databricks_pb2.PERMISSION_DENIED,
    )
}  # fmt: skip
#: What it answers when it was asked for something that is not there.
_GONE = {databricks_pb2.ErrorCode.Name(databricks_pb2.RESOURCE_DOES_NOT_EXIST)}


@contextmanager
def answering(what: str = "") -> Iterator[None]:
    """Turn what MLflow raises meanwhile into errors of this project; `what` begins each message."""
    try:
        yield
    except (MlflowException, OSError) as error:  # requests' and urllib3's errors are OSErrors or wrapped by MLflow
        kind = StoreAway if is_away(error) else StoreError
        raise kind(f"{what}: {reason(error)}" if what else reason(error)) from error


def is_away(error: BaseException) -> bool:
    """Whether an error means that the store cannot be reached or is ill, so that trying later makes sense.

    A folder that this machine cannot write stays so: where a server keeps files on its own disk, no later try helps.
    """
    if isinstance(error, MlflowException):
        return error.error_code not in _NONSENSE
    return not isinstance(error, PermissionError | FileNotFoundError | NotADirectoryError | FileExistsError)


def is_gone(error: MlflowException) -> bool:
    """Whether an error means that what was asked for is not there."""
    return error.error_code in _GONE


def reason(error: BaseException) -> str:
    """Return the first line of an error."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
