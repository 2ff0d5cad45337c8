"""An HTTP/3 server by aioquic with the routes of the tests.

Usage: server.py CERT KEY; prints its port on one line.
"""

import asyncio
import hashlib
import json
import sys

from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.asyncio.server import serve
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration


def answer(method, path, body, trailers):
    """Returns the content, and the trailers or None."""
    if path == "/hello":
        return b"hello\n", None
    if path == "/echo":
        return bytes(body), None
    if path.startswith("/bytes/"):
        return bytes(int(path.removeprefix("/bytes/"))), None
    if path == "/digest":
        return json.dumps({"bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}).encode(), None
    if path == "/trailers" and method == "POST":
        return trailers.get("x-sum", "").encode(), None
    if path == "/trailers":
        return b"body\n", [(b"x-after", b"late")]
    return None, None


class Request:
    def __init__(self):
        self.headers = None
        self.trailers = {}
        self.body = bytearray()


class Server(QuicConnectionProtocol):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.h3 = None
        self.requests = {}

    def quic_event_received(self, event):
        if self.h3 is None:
            self.h3 = H3Connection(self._quic)
        for event in self.h3.handle_event(event):
            if not isinstance(event, (HeadersReceived, DataReceived)):
                continue
            request = self.requests.setdefault(event.stream_id, Request())
            if isinstance(event, DataReceived):
                request.body += event.data
            else:
                fields = {name.decode(): value.decode() for name, value in event.headers}
                if request.headers is None:
                    request.headers = fields
                else:
                    request.trailers = fields
            if event.stream_ended:
                self.respond(event.stream_id, self.requests.pop(event.stream_id))

    def respond(self, stream, request):
        method, path = request.headers[":method"], request.headers[":path"]
        content, trailers = answer(method, path, request.body, request.trailers)
        status = b"200"
        if content is None:
            status, content = b"404", b"not found\n"
        headers = [(b":status", status), (b"server", b"aioquic")]
        if trailers is None:
            headers.append((b"content-length", str(len(content)).encode()))
        if method == "HEAD":
            self.h3.send_headers(stream, headers, end_stream=True)
        else:
            self.h3.send_headers(stream, headers)
            self.h3.send_data(stream, content, end_stream=trailers is None)
            if trailers is not None:
                self.h3.send_headers(stream, trailers, end_stream=True)
        self.transmit()


async def main(cert, key):
    conf = QuicConfiguration(is_client=False, alpn_protocols=H3_ALPN)
    conf.load_cert_chain(cert, key)
    server = await serve("127.0.0.1", 0, configuration=conf, create_protocol=Server)
    print(server._transport.get_extra_info("sockname")[1], flush=True)
    await asyncio.Event().wait()


asyncio.run(main(*sys.argv[1:]))
