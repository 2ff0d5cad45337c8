"""Asks an echo server over QUIC, by ctypes:

    python3 client.py path/to/libgodwit.so 127.0.0.1:4433 "hello, bird"
"""

import ctypes
import sys

FIN = 1
EV_CLOSED, EV_DATA = 4, 7


class Error(ctypes.Structure):
    _fields_ = [("kind", ctypes.c_uint32), ("frame", ctypes.c_uint32), ("code", ctypes.c_uint64)]


class Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_uint32), ("flags", ctypes.c_uint32), ("aux", ctypes.c_uint32),
        ("conn", ctypes.c_uint64), ("of", ctypes.c_uint64), ("session", ctypes.c_uint64),
        ("data", ctypes.c_void_p), ("length", ctypes.c_size_t),
        ("fields", ctypes.c_void_p), ("field_count", ctypes.c_size_t),
        ("error", Error), ("stream_id", ctypes.c_uint64), ("credit", ctypes.c_uint64),
    ]


def load(path):
    gw = ctypes.CDLL(path)
    ref, port = ctypes.c_uint64, ctypes.c_void_p
    gw.gw_port_open.restype, gw.gw_port_open.argtypes = port, [ctypes.c_void_p]
    gw.gw_port_close.argtypes = [port]
    gw.gw_connect.restype, gw.gw_connect.argtypes = ref, [port, ctypes.POINTER(ctypes.c_char_p)]
    gw.gw_open.restype, gw.gw_open.argtypes = ref, [port, ref, ctypes.c_uint32]
    gw.gw_write.restype = ctypes.c_size_t
    gw.gw_write.argtypes = [port, ref, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint32]
    gw.gw_close.argtypes = [port, ref, ctypes.c_uint32, ctypes.c_uint64, ctypes.c_char_p]
    gw.gw_poll.argtypes = [port, ctypes.POINTER(Event), ctypes.c_int]
    return gw


def ask(gw, address, text):
    port = gw.gw_port_open(None)
    options = [b"address", address, b"alpn", b"echo", b"insecure", b"1", None]
    conn = gw.gw_connect(port, (ctypes.c_char_p * len(options))(*options))
    stream = gw.gw_open(port, conn, 0)
    gw.gw_write(port, stream, text, len(text), FIN)
    event, answer = Event(), b""
    while gw.gw_poll(port, ctypes.byref(event), 10000) > 0:
        if event.type == EV_DATA and event.of == stream:
            answer += ctypes.string_at(event.data, event.length)
            if event.flags & FIN:
                gw.gw_close(port, conn, 0, 0, b"thanks")
        elif event.type == EV_CLOSED and event.of == conn:
            break
    gw.gw_port_close(port)
    return answer


if __name__ == "__main__":
    print(ask(load(sys.argv[1]), sys.argv[2].encode(), sys.argv[3].encode()).decode())
