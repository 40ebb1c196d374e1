"""One module per resource of the REST interface, and the WebSocket."""
