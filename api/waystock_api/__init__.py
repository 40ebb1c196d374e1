"""The api: REST, live WebSocket and pages; and the worker with its scheduled jobs."""
