"""Passwords and tokens: of addresses that are handed in, and of the environment. They are never said, kept or logged.

What is in an address is hidden wherever an address is told (:func:`hidden`): the password of its user, and whatever
its query says, since signed addresses carry their tokens there. Other programs tell parts of an address in words of
their own; a secret that is known by then (:func:`know`) is hidden in those too.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache
from urllib.parse import unquote

#: What stands in place of a secret.
MASK = "***"
#: What begins an address; a path object makes one slash of two. Those of files and of models here hold no password.
_SCHEME = r"\b(?!(?:file|sqlite|models|runs)\b)[A-Za-z][A-Za-z0-9+.\-]+:/{1,3}"
#: An address with what may hold secrets: user and password before an @, a query and a fragment at its end. A password
#: may hold anything but white space and quotes, so the last @ counts.
_USER = re.compile(rf"""(?P<scheme>{_SCHEME})(?P<user>[^\s'"<>]+)@""")
_QUERY = re.compile(rf"""(?P<place>{_SCHEME}[^\s'"<>?#]*)(?P<rest>[?#][^\s'"<>]+)""")
_VALUE = re.compile(r"=[^&;#\s'\"<>]*")
#: The part of an address of MLflow's pages that says what they show: no secret, and none can be in it.
_PAGE = re.compile(r"#/experiments/\d+/runs(\?viewStateShareKey=ser)?")
#: Variables whose values, or the secrets in whose addresses, other programs may tell.
_ADDRESSES = (
    "MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "MLFLOW_S3_ENDPOINT_URL", "DASK_SCHEDULER_ADDRESS",
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy", "HF_ENDPOINT",
)  # fmt: skip
_SECRET_NAMES = re.compile(r".*(PASSWORD|PASSWD|TOKEN|SECRET|API_?KEY|ACCESS_KEY|CREDENTIALS?)(_\w+)?", re.IGNORECASE)
#: Shorter ones would be found in every other word, the more so values of a query, most of which are no secrets.
_LEAST, _LEAST_VALUE = 6, 12
#: Characters of an error that are told.
_LONGEST_REASON = 200
_KNOWN: set[str] = set()


def know(*addresses: str | os.PathLike[str] | None) -> None:
    """Remember the secrets of addresses, so that :func:`hidden` finds them in whatever is said of them later."""
    for address in addresses:
        if isinstance(address, str):
            _KNOWN.update(_secrets_of(address))


def hidden(text: str) -> str:
    """Return a text without secrets.

    Parameters
    ----------
    text : str
        A message, an address, a traceback.
    """
    if ":/" in text:
        text = _USER.sub(_without_password, text)
        text = _QUERY.sub(lambda found: found["place"] + _tail(found["rest"]), text)
    for secret in sorted(_KNOWN | _of_environment(), key=len, reverse=True):
        if secret in text:
            text = text.replace(secret, MASK)
    return text


def shown(name: str, value: str) -> str:
    """Return the value of a variable of the environment as it may be shown: of one that is a secret nothing."""
    return MASK if _is_secret(name) else hidden(value)


def reason(error: BaseException) -> str:
    """Return the first line of what another program's error says, without secrets; its kind where it says nothing."""
    # Cut off last: half a secret would not be known for one.
    return hidden((str(error).splitlines() or [type(error).__name__])[0])[:_LONGEST_REASON]


def without_query(address: str) -> str:
    """Return an address without what stands behind its path; a path comes back as it is."""
    return re.split(r"[?#]", address, maxsplit=1)[0] if "://" in address else address


def _without_password(found: re.Match[str]) -> str:
    user, colon, _ = found["user"].partition(":")
    # A single word before the @ may be a token; a slash in it means that the password holds one.
    return f"{found['scheme']}{user + ':' if colon and '/' not in user else ''}{MASK}@"


def _tail(rest: str) -> str:
    """Return a query as it is told: one that is no list of values is a secret itself."""
    if _PAGE.fullmatch(rest):
        return rest
    return _VALUE.sub("=" + MASK, rest) if "=" in rest else rest[0] + MASK


def _secrets_of(address: str) -> set[str]:
    found: set[str] = set()
    for match in _USER.finditer(address):
        user, colon, password = match["user"].partition(":")
        said = password if colon else user
        # A password with an @ or a slash in it is taken for a part of the host by whoever parses it.
        found |= {said, unquote(said), *re.split(r"[@/:?#]", said)}
    found = {one for one in found if len(one) >= _LEAST}
    for match in _QUERY.finditer(address):
        values = [value[1:] for value in _VALUE.findall(match["rest"])] or [match["rest"][1:]]
        found |= {one for value in values if len(value) >= _LEAST_VALUE for one in (value, unquote(value))}
    return found


def _of_environment() -> set[str]:
    found: set[str] = set()
    for name, value in os.environ.items():
        if name in _ADDRESSES:
            found |= _secrets_of(value)
        elif _is_secret(name) and len(value) >= _LEAST + 2 and not os.path.exists(value):
            found.add(value)
    return found


@lru_cache(maxsize=4096)
def _is_secret(name: str) -> bool:
    # Asked for every variable at every line that is printed.
    return _SECRET_NAMES.fullmatch(name) is not None
