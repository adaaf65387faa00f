"""The one door to BigQuery: a client, jobs with a limit of what they may cost, and errors in words.

Credentials are those that Google's own library finds (Application Default Credentials). Nothing of them is
kept, logged or repeated in a message. ``BIGQUERY_EMULATOR_HOST``, which that library knows, too, stands for
a server that wants none.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from core.base.errors import Beha2VecError, InputError, ResourceError, SettingsError
from core.base.wording import counted
from core.engines.bigquery_request import BigQueryRequest, in_gigabytes

if TYPE_CHECKING:
    from google.cloud import bigquery

PATIENCE_S: Final = 120.0
"""How long what may be over in a moment is tried again."""
WAIT_S: Final = 900.0
"""How long a query may wait and work."""
STATE_S: Final = 30.0
"""How long BigQuery may take to say how far a query is."""
EMULATOR: Final = "BIGQUERY_EMULATOR_HOST"
HOW_TO: Final = "See docs/how-to/bigquery.md"
GO_ON: Final = "Days that were read are kept: the same command goes on with those that are missing"
_QUOTAS: Final = frozenset(
    {
        "quotaExceeded",
        "rateLimitExceeded",
        "jobRateLimitExceeded",
        "resourcesExceeded",
        "userRateLimitExceeded",
    }
)


def installed() -> bool:
    """Whether the extra is there."""
    from importlib.util import find_spec

    try:
        return find_spec("google.cloud.bigquery") is not None
    except ModuleNotFoundError:  # not even what it lies in
        return False


def connect(request: BigQueryRequest) -> bigquery.Client:
    """A client of the project that pays.

    Raises:
        SettingsError: If the extra or credentials are missing.
    """
    if not installed():
        raise SettingsError(
            "BigQuery cannot be read, as google-cloud-bigquery is not installed",
            remedy="pip install 'beha2vec[bigquery]' (or pip install google-cloud-bigquery)",
        )
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import bigquery

    with in_words(request):
        known = AnonymousCredentials() if os.environ.get(EMULATOR) else None
        return bigquery.Client(project=request.pays, credentials=known)


def retries(seconds: float) -> Mapping[str, Any]:
    """How often what may pass is tried again."""
    from google.cloud.bigquery import DEFAULT_RETRY

    return {"retry": DEFAULT_RETRY.with_timeout(seconds)}


@contextmanager
def in_words(request: BigQueryRequest) -> Iterator[None]:
    """Say what went wrong between here and BigQuery, and what to do.

    Raises:
        Beha2VecError: In place of whatever Google's library raises inside the block.
    """
    from google.api_core import exceptions as api
    from google.auth import exceptions as auth

    try:
        yield
    except (auth.DefaultCredentialsError, auth.RefreshError) as error:
        raise SettingsError(
            "Google Cloud has no valid credentials for this machine",
            remedy="Run `gcloud auth application-default login`, or name the file of a service account in "
            f"GOOGLE_APPLICATION_CREDENTIALS. {HOW_TO}",
        ) from error
    except api.RetryError as error:
        cause = error.cause
        raise (_refused(cause, request) if isinstance(cause, api.GoogleAPICallError) else _gone()) from error
    except api.GoogleAPICallError as error:
        raise _refused(error, request) from error
    except Beha2VecError:
        raise
    except (auth.GoogleAuthError, OSError) as error:
        if isinstance(error, TimeoutError) and error.errno is None:  # ours or its library's, not the system's
            raise ResourceError(
                f"BigQuery was not done after {counted(round(WAIT_S / 60), 'minute')}; its query was stopped",
                remedy=f"Try again later. {GO_ON}",
            ) from error
        if isinstance(error, OSError) and type(error).__module__ == "builtins" and error.errno is not None:
            raise  # the disk's
        raise _gone() from error


def _gone() -> ResourceError:
    return ResourceError("BigQuery cannot be reached any more", remedy=f"Check the network. {GO_ON}")


def _refused(error: Any, request: BigQueryRequest) -> Beha2VecError:  # noqa: ANN401 - of an untyped library
    """An error of BigQuery's, by its reason."""
    reason = next((str(one.get("reason", "")) for one in error.errors or () if isinstance(one, Mapping)), "")
    said = _said(error)
    if reason in _QUOTAS or error.code == 429:
        return ResourceError(f"A quota of BigQuery is used up: {said}", remedy=GO_ON)
    if reason == "bytesBilledLimitExceeded":
        most = in_gigabytes(request.max_bytes)
        return ResourceError(
            f"BigQuery would bill more than was estimated, or than the {most} that are allowed: {said}",
            remedy=f"Estimate again; read fewer days, or raise the limit (--max-bytes). {GO_ON}",
        )
    if reason == "responseTooLarge":
        return ResourceError(
            f"A day is too large for BigQuery to hand over: {said}", remedy="Use --user-share"
        )
    if error.code in (401, 403):
        return InputError(
            f"BigQuery refuses {request.table}: {said}",
            remedy="Who asks needs BigQuery Data Viewer on the data set and BigQuery Job User on the project "
            f"{request.pays}, which pays; another one is named by --billing-project. {HOW_TO}",
        )
    if error.code == 404:
        return InputError(
            f"BigQuery does not find {request.table}: {said}", remedy="Check project and data set"
        )
    if (error.code or 500) >= 500:
        return ResourceError(f"BigQuery has a problem: {said}", remedy=f"Try again later. {GO_ON}")
    return InputError(f"BigQuery cannot read {request.table}: {said}", remedy=HOW_TO)


def _said(error: Any) -> str:  # noqa: ANN401
    """BigQuery's own words, on one line and without the address that was asked."""
    message = next(
        (one["message"] for one in error.errors or () if isinstance(one, Mapping) and "message" in one), ""
    )
    return " ".join((message or str(error.message)).split())[:400]
