"""aioquic's HTTP/3 client against the routes of the tests.

Usage: client.py HOST PORT CA; prints a line of JSON.
"""

import asyncio
import hashlib
import json
import sys

from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration


class Response:
    def __init__(self):
        self.headers = None
        self.trailers = None
        self.body = bytearray()
        self.done = asyncio.get_running_loop().create_future()


class Client(QuicConnectionProtocol):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.h3 = H3Connection(self._quic)
        self.responses = {}

    def quic_event_received(self, event):
        for event in self.h3.handle_event(event):
            response = self.responses.get(event.stream_id)
            if response is None:
                continue
            if isinstance(event, HeadersReceived):
                fields = {name.decode(): value.decode() for name, value in event.headers}
                if response.headers is None:
                    response.headers = fields
                else:
                    response.trailers = fields
            elif isinstance(event, DataReceived):
                response.body += event.data
            else:
                continue
            if event.stream_ended and not response.done.done():
                response.done.set_result(None)

    async def request(self, method, path, body=None, trailers=None):
        stream = self._quic.get_next_available_stream_id()
        response = self.responses[stream] = Response()
        headers = [
            (b":method", method.encode()),
            (b":scheme", b"https"),
            (b":authority", b"localhost"),
            (b":path", path.encode()),
            (b"user-agent", b"aioquic"),
        ]
        self.h3.send_headers(stream, headers, end_stream=body is None)
        if body is not None:
            self.h3.send_data(stream, body, end_stream=trailers is None)
        if trailers is not None:
            self.h3.send_headers(stream, trailers, end_stream=True)
        self.transmit()
        await response.done
        del self.responses[stream]
        return response


async def main(host, port, ca):
    conf = QuicConfiguration(is_client=True, alpn_protocols=H3_ALPN, server_name="localhost")
    conf.load_verify_locations(ca)
    async with connect(host, port, configuration=conf, create_protocol=Client) as client:
        result = {}
        result["hello"] = (await client.request("GET", "/hello")).body.decode()
        result["info"] = json.loads((await client.request("GET", "/info")).body)
        for size in (0, 1, 1200, 1 << 20):
            data = bytes((i * 31 + size) & 0xFF for i in range(size))
            echo = await client.request("POST", "/echo", data)
            digest = json.loads((await client.request("POST", "/digest", data)).body)
            length = (await client.request("GET", f"/bytes/{size}")).body
            result[f"echo {size}"] = echo.body == data
            result[f"digest {size}"] = digest == {"bytes": size, "sha256": hashlib.sha256(data).hexdigest()}
            result[f"bytes {size}"] = len(length) == size
        late = await client.request("GET", "/trailers")
        result["trailers"] = [late.body.decode(), late.trailers]
        sent = await client.request("POST", "/trailers", b"abc", [(b"x-sum", b"900150983cd2")])
        result["sent trailers"] = sent.body.decode()
        many = await asyncio.gather(*(client.request("GET", f"/bytes/{1000 + i}") for i in range(50)))
        result["many"] = all(len(r.body) == 1000 + i for i, r in enumerate(many))
    print(json.dumps(result), flush=True)


asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
