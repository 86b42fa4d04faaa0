"""What the documented lines ask of curl, for machines without it: one request, with or without TLS, and its answer."""

import argparse
import http.client
import ssl
import sys
from pathlib import Path
from urllib.parse import urlsplit


def main() -> None:
    """Send the request of the command line."""
    parser = argparse.ArgumentParser()
    for option in ("--cacert", "--cert", "--key", "--data-binary"):
        parser.add_argument(option)
    parser.add_argument("-H", action="append", default=[])
    parser.add_argument("--silent", action="store_true")
    parser.add_argument("url")
    told = parser.parse_args()
    url = urlsplit(told.url)
    if url.scheme == "https":
        context = ssl.create_default_context(cafile=told.cacert)
        context.load_cert_chain(told.cert, told.key)
        connection = http.client.HTTPSConnection(url.hostname, url.port, context=context)
    else:
        connection = http.client.HTTPConnection(url.hostname, url.port)
    headers = dict(header.split(": ", 1) for header in told.H)
    body = _body(told.data_binary)
    connection.request("GET" if body is None else "POST", f"{url.path}?{url.query}".rstrip("?"), body, headers)
    sys.stdout.buffer.write(connection.getresponse().read())


def _body(source: str | None) -> bytes | None:
    if source is None:
        return None
    return sys.stdin.buffer.read() if source == "@-" else Path(source.removeprefix("@")).read_bytes()


if __name__ == "__main__":
    main()
