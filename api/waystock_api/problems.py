"""Errors as {"detail": "a sentence"}: what was wrong and, where it helps, what would be right."""

from http import HTTPStatus
from typing import Any, cast

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from starlette.responses import JSONResponse, Response

from waystock.store.api import UnusableValueError
from waystock.store.pool import StoreAwayError
from waystock.store.reports import ReportTooLargeError

RETRY_AFTER_S = 2


def register(app: FastAPI) -> None:
    """Give the app its error answers."""
    app.add_exception_handler(404, _not_found)
    app.add_exception_handler(RequestValidationError, _unusable_request)
    app.add_exception_handler(UnusableValueError, _unusable_value)
    app.add_exception_handler(ReportTooLargeError, _unusable_value)
    app.add_exception_handler(StoreAwayError, _store_away)


def _not_found(request: Request, error: Exception) -> Response:
    detail = cast(HTTPException, error).detail
    if detail == HTTPStatus.NOT_FOUND.phrase:  # The library's own, for a path that nothing serves.
        detail = f"There is nothing at {request.url.path}."
    return JSONResponse({"detail": detail}, 404)


def _unusable_request(_request: Request, error: Exception) -> Response:
    errors = cast(list[dict[str, Any]], cast(RequestValidationError, error).errors())
    return JSONResponse({"detail": "; ".join(_sentence(each) for each in errors)}, 422)


def _sentence(error: dict[str, Any]) -> str:
    where = ".".join(str(part) for part in error["loc"][1:]) or "the request"
    if error["type"] == "extra_forbidden":
        return f"{where}: there is no such parameter here"
    return f"{where}: {error['msg']}"


def _unusable_value(_request: Request, error: Exception) -> Response:
    return JSONResponse({"detail": str(error)}, 422)


def _store_away(_request: Request, _error: Exception) -> Response:
    # The reason is for the operator (/readyz and the pool's own log lines), not for every caller.
    return JSONResponse(
        {"detail": "The database can't be asked now. Try again in a few seconds."},
        503,
        {"Retry-After": str(RETRY_AFTER_S)},
    )
