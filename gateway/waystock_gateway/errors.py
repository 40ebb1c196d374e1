"""The gateway's one base exception and its kinds."""


class GatewayError(Exception):
    """Anything the gateway itself found wrong."""


class SettingsError(GatewayError):
    """The configuration is unusable; the message names the place and what would be right."""


class OutboxError(GatewayError):
    """The outbox can't keep readings now (disk full, read-only); nothing that it took is lost."""


class OutboxCorruptError(GatewayError):
    """The outbox file is damaged."""
