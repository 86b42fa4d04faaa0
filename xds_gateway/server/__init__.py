"""Sockets we listen on: HTTP, SOAP dispatch and the one path from request to response."""
