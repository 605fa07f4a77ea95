"""Convert errors to problem details (RFC 9457): one table, and a middleware."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import msgspec
import structlog
from aiohttp import hdrs, web

from palaver.wire.errors import PROBLEM_CONTENT_TYPE, Problem
from palaverd.api.limits import BODY_LIMIT
from palaverd.api.problem_kinds import KINDS
from palaverd.chatstate.errors import (
    ChatNotFound,
    NotAUserMessage,
    NotInQueue,
    TransitionError,
    UnknownCall,
)
from palaverd.config.load import ConfigError
from palaverd.failures.wording import NO_DESCRIPTOR
from palaverd.file_folder import FolderError
from palaverd.logs.bugs import log_bug
from palaverd.platform.descriptors import none_left
from palaverd.store.access import AccessError
from palaverd.store.database import DatabaseError
from palaverd.usecases.errors import InvalidRequest, NotAllowed
from palaverd.usecases.files import FileNotFound

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = structlog.get_logger("palaverd.api")


class BadRequest(Exception):
    """The request is invalid.

    `field` names the invalid part, `headers` are added to the response.
    """

    def __init__(
        self,
        detail: str,
        *,
        code: str = "bad_request",
        status: int = 400,
        field: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.headers = headers
        self.problem = problem(status, code, detail, field=field)


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    field: str | None = None,
    state: str | None = None,
    transition: str | None = None,
) -> Problem:
    """Return problem details."""
    return Problem(
        type=f"urn:palaver:problem:{code}",
        title=KINDS[code].title,
        status=status,
        # What is quoted of a header may be half a surrogate, which JSON cannot have.
        detail=detail.encode(errors="backslashreplace").decode(),
        code=code,
        field=field,
        state=state,
        transition=transition,
    )


def problem_of(error: Exception) -> Problem | None:
    """Return the problem details of an error; None for an unexpected one."""
    match error:
        case BadRequest():
            return error.problem
        case InvalidRequest():
            status = 403 if isinstance(error, NotAllowed) else 400
            return problem(status, error.code, str(error), field=error.field)
        case AccessError():
            return problem(error.status, "bad_access", str(error))
        case FileNotFound():
            return problem(404, "file_not_found", str(error))
        case ChatNotFound():
            return problem(404, "chat_not_found", str(error))
        case TransitionError():
            return problem(
                404 if isinstance(error, NotInQueue | UnknownCall | NotAUserMessage) else 409,
                error.code,
                f"{error.cause[0].upper()}{error.cause[1:]}.",
                state=error.state.name,
                transition=error.transition.value,
            )
        case ConfigError():
            return problem(409, "bad_config", str(error))
        case DatabaseError() | FolderError():
            return problem(503, "storage", error.sentence)
        case OSError() if none_left(error):
            return problem(503, "no_descriptor", f"{NO_DESCRIPTOR} Try again in a moment.")
        case web.HTTPException():
            return _problem_of_http(error)
        case _:
            return None


def _problem_of_http(error: web.HTTPException) -> Problem | None:
    match error:
        case web.HTTPRequestEntityTooLarge():
            return problem(
                413,
                "too_large",
                f"The request is larger than {BODY_LIMIT // 1024} KiB, which is the most that "
                "is taken; nothing was changed.",
            )
        case web.HTTPNotFound():
            return problem(404, "not_found", "There is nothing at this address.")
        case web.HTTPMethodNotAllowed():
            allowed = ", ".join(sorted(error.allowed_methods))
            return problem(405, "method_not_allowed", f"This address knows {allowed} only.")
        case web.HTTPExpectationFailed():
            said = "The header Expect can only be 100-continue."
            return problem(417, "expectation_failed", said)
        case web.HTTPBadRequest():
            return problem(400, "bad_request", sentence(error.text or error.reason))
        case _:
            return None


def headers_of(error: Exception) -> Mapping[str, str] | None:
    """Return the headers that belong to the response to an error."""
    match error:
        case BadRequest():
            return error.headers
        case web.HTTPMethodNotAllowed():
            return {hdrs.ALLOW: ", ".join(sorted(error.allowed_methods))}  # RFC 9110, 15.5.6
        case _:
            return None


def internal() -> Problem:
    """Return the problem of an error that should not be: a bug."""
    return problem(500, "internal", "Palaver made a mistake; its log has the details.")


def sentence(text: str) -> str:
    """Return a library's message as a sentence."""
    words = " ".join(text.split()).rstrip(".:")
    return f"{words}."


def respond(value: Problem, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return a response with problem details."""
    return web.Response(
        body=msgspec.json.encode(value),
        status=value.status,
        content_type=PROBLEM_CONTENT_TYPE,
        headers=headers,
    )


@web.middleware
async def problem_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Respond to every error with problem details; log unexpected ones."""
    try:
        return await handler(request)
    except Exception as error:
        known = problem_of(error)
        if known is None:
            if isinstance(error, web.HTTPException):
                raise
            await log_bug(log, "request failed", error, method=request.method, path=request.path)
            known = internal()
        return respond(known, headers_of(error))
