"""aioquic as the QUIC Interop Runner wants it: see package contract."""

import asyncio
import os
import signal
import ssl
import sys
from urllib.parse import urlparse

from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.asyncio.server import serve
from aioquic.h0.connection import H0_ALPN, H0Connection
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated, StreamDataReceived
from aioquic.quic.logger import QuicFileLogger
from aioquic.quic.packet import QuicProtocolVersion
from aioquic.tls import CipherSuite

WWW = os.environ.get("WWW", "/www")
DOWNLOADS = os.environ.get("DOWNLOADS", "/downloads")
CERTS = os.environ.get("CERTS", "/certs")
TESTCASE = os.environ.get("TESTCASE", "")

# What the others have beyond aioquic's defaults.
HANDSHAKE_TIMEOUT = 60


def unsupported(why):
    print("unsupported test case:", why, file=sys.stderr)
    sys.exit(127)


def configuration(is_client):
    conf = QuicConfiguration(
        is_client=is_client,
        alpn_protocols=H3_ALPN if TESTCASE == "http3" else H0_ALPN,
        idle_timeout=HANDSHAKE_TIMEOUT,
    )
    if TESTCASE == "chacha20":
        conf.cipher_suites = [CipherSuite.CHACHA20_POLY1305_SHA256]
    if path := os.environ.get("SSLKEYLOGFILE"):
        conf.secrets_log_file = open(path, "a")
    if path := os.environ.get("QLOGDIR"):
        conf.quic_logger = QuicFileLogger(path)
    return conf


def http(quic):
    return H3Connection(quic) if TESTCASE == "http3" else H0Connection(quic)


class Server(QuicConnectionProtocol):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.http = None

    def quic_event_received(self, event):
        if self.http is None:
            self.http = http(self._quic)
        for event in self.http.handle_event(event):
            if isinstance(event, HeadersReceived):
                self.answer(event.stream_id, dict(event.headers)[b":path"].decode())

    def answer(self, stream, path):
        try:
            with open(os.path.join(WWW, os.path.normpath("/" + path).lstrip("/")), "rb") as file:
                content = file.read()
            status = b"200"
        except OSError:
            content, status = b"", b"404"
        self.http.send_headers(stream, [(b":status", status)])
        self.http.send_data(stream, content, end_stream=True)
        self.transmit()


class Tickets:
    """Sessions of the server."""

    def __init__(self):
        self.tickets = {}

    def add(self, ticket):
        self.tickets[ticket.ticket] = ticket

    def pop(self, label):
        return self.tickets.pop(label, None)


async def run_server():
    if TESTCASE == "v2":
        pass  # aioquic's servers take version 2 by themselves
    elif TESTCASE not in ("handshake", "transfer", "resumption", "multiconnect", "zerortt", "retry", "chacha20", "http3"):
        unsupported(TESTCASE)
    conf = configuration(is_client=False)
    conf.load_cert_chain(os.path.join(CERTS, "cert.pem"), os.path.join(CERTS, "priv.key"))
    host, port = os.environ.get("ADDRESS", "[::]:443").rsplit(":", 1)
    tickets = Tickets()
    server = await serve(
        host.strip("[]"),
        int(port),
        configuration=conf,
        create_protocol=Server,
        session_ticket_fetcher=tickets.pop,
        session_ticket_handler=tickets.add,
        retry=TESTCASE == "retry",
    )
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    server.close()


class Client(QuicConnectionProtocol):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.http = http(self._quic)
        self.files = {}
        self.waiters = {}

    def quic_event_received(self, event):
        if isinstance(event, ConnectionTerminated):
            for waiter in self.waiters.values():
                if not waiter.done():
                    waiter.set_exception(ConnectionError(event.reason_phrase or f"closed with {event.error_code}"))
        for event in self.http.handle_event(event):
            if isinstance(event, DataReceived):
                self.files[event.stream_id].write(event.data)
            if isinstance(event, (DataReceived, HeadersReceived)) and event.stream_ended:
                self.waiters[event.stream_id].set_result(None)

    def ask(self, url):
        stream = self._quic.get_next_available_stream_id()
        name = os.path.join(DOWNLOADS, os.path.basename(url.path))
        self.files[stream] = open(name, "wb")
        self.waiters[stream] = asyncio.get_running_loop().create_future()
        fields = [
            (b":method", b"GET"),
            (b":scheme", b"https"),
            (b":authority", url.netloc.encode()),
            (b":path", url.path.encode()),
        ]
        self.http.send_headers(stream, fields, end_stream=True)
        return stream

    async def fetch(self, urls):
        streams = [self.ask(url) for url in urls]
        self.transmit()
        for stream in streams:
            await self.waiters[stream]
            self.files[stream].close()


async def fetch(urls, conf, tickets=None, early=False, update=False):
    conf.server_name = "localhost"
    async with connect(
        urls[0].hostname,
        urls[0].port or 443,
        configuration=conf,
        create_protocol=Client,
        session_ticket_handler=tickets.append if tickets is not None else None,
        wait_connected=not early,
    ) as client:
        if update:
            await client.ping()
            client.request_key_update()
        await client.fetch(urls)
        if early and not client._quic.tls.early_data_accepted:
            raise ConnectionError("the server has rejected early data")
        if tickets is not None:
            for _ in range(100):
                if tickets:
                    break
                await asyncio.sleep(0.05)


async def run_client():
    urls = [urlparse(url) for url in os.environ["REQUESTS"].split()]
    conf = configuration(is_client=True)
    conf.verify_mode = ssl.CERT_REQUIRED
    conf.load_verify_locations(os.path.join(CERTS, "ca.pem"))
    if TESTCASE in ("handshake", "retry", "chacha20", "http3"):
        await fetch(urls, conf)
    elif TESTCASE == "transfer":
        conf.max_data, conf.max_stream_data = 128 << 10, 64 << 10
        await fetch(urls, conf)
    elif TESTCASE == "keyupdate":
        await fetch(urls, conf, update=True)
    elif TESTCASE == "multiconnect":
        for url in urls:
            await fetch([url], conf)
    elif TESTCASE in ("resumption", "zerortt"):
        tickets = []
        await fetch(urls[:1], conf, tickets)
        conf.session_ticket = tickets[-1]
        await fetch(urls[1:], conf, early=TESTCASE == "zerortt")
    elif TESTCASE == "v2":
        conf.original_version = QuicProtocolVersion.VERSION_1
        conf.supported_versions = [QuicProtocolVersion.VERSION_2, QuicProtocolVersion.VERSION_1]
        await fetch(urls, conf)
    else:
        unsupported(TESTCASE)


if os.environ.get("PROTOCOLS"):
    unsupported("aioquic has WebTransport of draft 2 at a server only, and no sessions at a client")
try:
    asyncio.run(run_server() if os.environ["ROLE"] == "server" else run_client())
except (ConnectionError, OSError, asyncio.TimeoutError) as e:
    sys.exit(f"failed: {e!r}")
