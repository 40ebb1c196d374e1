"""Log lines, one form for every process: logfmt on standard error, so that a person reads them at
3 a.m. and a machine splits them without a schema. `WAYSTOCK_LOG` sets the level (default info).
"""

import logging
import sys

import structlog

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def configure(level_name: str = "info") -> None:
    """Send structlog and the standard logging to standard error; ValueError if unknown."""
    level = LEVELS.get(level_name.lower())
    if level is None:
        raise ValueError(f"WAYSTOCK_LOG={level_name!r}: use one of {', '.join(LEVELS)}")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(
                key_order=["time", "level", "event"], bool_as_flag=False
            ),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(
        level=max(level, logging.WARNING),
        stream=sys.stderr,
        format="time=%(asctime)s level=%(levelname)s event=library_message"
        ' logger=%(name)s message="%(message)s"',
        force=True,
    )
