/*
 * Godwit: QUIC, HTTP/3 and WebTransport for programs in C, and for whoever can call C.
 *
 * A gw_port is a door to an engine that runs on threads of its own. Commands go in by one
 * ring and events come out by another, both in memory that the two sides share. Nothing
 * here waits but where it says so, and no thread of the caller's ever runs the engine.
 *
 * The header has three parts:
 *
 *   1. what commands and events are: the records of the rings (GW_CMD_..., GW_EV_...);
 *   2. the port itself: opening, looking, committing, closing;
 *   3. functions that make it pleasant without knowing the rings (gw_listen, gw_write,
 *      gw_poll, ...), built on the second part. Use either 2 or 3 with a port, not both.
 *
 * One thread at a time may use a port; different ports do not know each other.
 * README.md beside this file tells the whole story.
 */
#ifndef GODWIT_H
#define GODWIT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define GW_API __attribute__((visibility("default")))
#else
#define GW_API
#endif

/* The version of this interface. It changes when a record or a function does. */
#define GW_VERSION 1

/* ------------------------------------------------------------------------------------
 * 1. Records
 *
 * A record begins at a multiple of 16 bytes and has a header of 16, a payload of length
 * bytes, and what fills it up to 16 again. It never wraps: where there is no room before
 * the ring's end a record of type GW_SKIP is put, whose payload means nothing. All
 * numbers are little-endian.
 */
typedef struct gw_record {
	uint32_t length; /* of the payload, in bytes */
	uint8_t type;    /* GW_CMD_... or GW_EV_... */
	uint8_t flags;   /* GW_FIN, ... */
	uint16_t aux;    /* as the type says; otherwise 0 */
	uint32_t conn;   /* the handle of a connection, or of a listener */
	uint32_t id;     /* the handle of what is on it: a stream, request or session; 0 for itself */
} gw_record;

#define GW_HEADER 16u
#define GW_SKIP 255u

/* How many bytes of a ring a record with a payload of n bytes takes. */
#define GW_RECORD_SIZE(n) (GW_HEADER + (((uint32_t)(n) + 15u) & ~15u))

/*
 * Handles are numbers that name listeners, connections, streams, requests and sessions.
 * The host chooses those of what it begins, from 1 to 0x7fffffff, and the engine those of
 * what a peer begins, with the highest bit set. Listeners and connections of a port that
 * live at the same time have different ones, and so have the streams, requests and
 * sessions of a connection. Each has exactly one last event, GW_EV_CLOSED or GW_EV_ENDED,
 * after which its handle may name something else. Commands for handles that name nothing
 * are ignored: what they meant may just have ended.
 */
#define GW_PEERS 0x80000000u

/* Flags of records. */
#define GW_FIN 1u     /* nothing follows in this direction */
#define GW_UNI 2u     /* a stream in one direction */
#define GW_REMOTE 4u  /* the peer's doing, not this end's */
#define GW_CALL 8u    /* a command that is answered in the port's reply, see gw_port_call */
#define GW_NOW 32u    /* GW_CMD_OPEN: do not wait until the peer allows it */
#define GW_SECURE 16u /* GW_EV_SESSION: its origin is the request's own host, or it has none */

/*
 * Fields are how options, header and trailer sections are written:
 *
 *   uint32_t count;
 *   uint32_t text;                        bytes of all names and values together
 *   { uint32_t name, value; } [count]     how many bytes each has
 *   the names and values, one after the other, without anything between them
 *
 * Names of HTTP fields are in lower case. Pseudo-header fields come first.
 */
typedef struct gw_field {
	const char *name;
	size_t name_len;
	const char *value;
	size_t value_len;
} gw_field;

/*
 * An error: the payload of GW_EV_CLOSED, GW_EV_RESET, GW_EV_STOPPED and GW_EV_ERROR, and
 * of a reply that has failed. After it comes a text for people, up to the payload's end.
 */
typedef struct gw_error {
	uint32_t kind;  /* GW_ERR_... */
	uint32_t frame; /* GW_ERR_TRANSPORT: the type of the frame that was the trigger, or 0 */
	uint64_t code;  /* as the kind says, otherwise 0 */
} gw_error;

enum {
	GW_OK = 0,
	GW_ERR_APPLICATION = 1,       /* an application closed the connection; its code */
	GW_ERR_TRANSPORT = 2,         /* the protocol was violated; the code of RFC 9000, Section 20.1 */
	GW_ERR_TLS = 3,               /* the handshake failed; the alert of TLS */
	GW_ERR_CERTIFICATE = 4,       /* the peer's certificate was not accepted */
	GW_ERR_IDLE = 5,              /* nothing came for too long */
	GW_ERR_HANDSHAKE_TIMEOUT = 6, /* nobody answered, or not in time */
	GW_ERR_REFUSED = 7,           /* nobody is at the port, or the server takes no connections */
	GW_ERR_RESOLVE = 8,           /* there is no such host */
	GW_ERR_STATELESS_RESET = 9,   /* the peer does not know the connection any more */
	GW_ERR_VERSION = 10,          /* no version of QUIC in common */
	GW_ERR_CANCELLED = 11,        /* given up by this end before it was there */
	GW_ERR_OPTION = 12,           /* an option is wrong; the text names it */
	GW_ERR_ADDRESS = 13,          /* the address is in use, or not this machine's; errno */
	GW_ERR_STREAM = 14,           /* one half of a stream was cancelled; the application's code */
	GW_ERR_SESSION = 15,          /* a WebTransport session was closed; the application's code */
	GW_ERR_HTTP = 16,             /* HTTP/3 was violated; the code of RFC 9114, Section 8.1 */
	GW_ERR_UNSUPPORTED = 17,      /* the peer does not offer what was asked for */
	GW_ERR_LIMIT = 18,            /* more than one of this end's limits allows */
	GW_ERR_GOAWAY = 19,           /* the server takes no more requests on the connection; none was processed */
	GW_ERR_SIZE = 20,             /* a datagram, or a header section, is too large */
	GW_ERR_COMMAND = 21,          /* a command makes no sense there */
	GW_ERR_PORT = 22              /* the port is closed, or the engine has failed */
};

/*
 * Commands, from the host. "Handle" is who gets the handle in id, or conn where id is 0.
 * A stream is also a request with its response, at either end.
 */
enum {
	/* conn: a new listener. Fields: options, see README.md. Event: GW_EV_LISTENING or
	 * GW_EV_CLOSED. With GW_CALL the reply has the text, or the error, of the event, and
	 * a listener that has failed has no event. */
	GW_CMD_LISTEN = 1,
	/* conn: a new connection. Fields: options. Other commands for it may follow at once,
	 * and wait. Events: GW_EV_CONNECTED or GW_EV_CLOSED. */
	GW_CMD_CONNECT = 2,
	/* A connection, a session (id), or a listener. uint64_t code, then the reason's text
	 * (connections: up to 512 bytes, sessions: 1024). aux, for a listener and for a
	 * connection of HTTP/3: GW_CLOSE_... Event: GW_EV_CLOSED, of a listener that is closed
	 * with its connections when its address is free again. */
	GW_CMD_CLOSE = 3,
	/* id: a new stream. GW_UNI. uint32_t session, 0 for a stream of QUIC's; uint32_t 0.
	 * It may be written to at once. Event: GW_EV_OPENED, when the peer allows it. GW_NOW:
	 * GW_EV_ENDED with GW_ERR_LIMIT if it does not now. */
	GW_CMD_OPEN = 4,
	/* Bytes for a stream, as many as there is credit for. GW_FIN. */
	GW_CMD_WRITE = 5,
	/* Ends what is sent on a stream abruptly. uint64_t code. Sessions' streams: a code of
	 * 32 bits; requests: one of HTTP/3's. */
	GW_CMD_RESET = 6,
	/* Says that nothing more will be read of a stream. uint64_t code. */
	GW_CMD_STOP = 7,
	/* Allows more GW_EV_DATA of a stream. uint64_t bytes. */
	GW_CMD_CREDIT = 8,
	/* In which order streams are sent (RFC 9218, Section 10). aux: urgency, 0 to 7, and
	 * 256 for incremental. */
	GW_CMD_PRIORITY = 9,
	/* A datagram. id: a session, or 0 for one of QUIC's. What is too large is dropped,
	 * with GW_EV_ERROR. */
	GW_CMD_DATAGRAM = 10,
	/* id: a new request of a client's. Fields, ":method" and so on first. GW_FIN: without
	 * content. Events: GW_EV_INFORM, GW_EV_RESPONSE, GW_EV_DATA, GW_EV_TRAILERS. */
	GW_CMD_REQUEST = 11,
	/* Answers a request, or refuses a session. Fields, ":status" first; then content, up
	 * to the payload's end, for which no credit is needed. GW_FIN. */
	GW_CMD_RESPOND = 12,
	/* An interim response. Fields, ":status" first, from 100 to 199 but 101. */
	GW_CMD_INFORM = 13,
	/* Trailers, with which a message ends. Fields. */
	GW_CMD_TRAILERS = 14,
	/* id: a new session of a client's. Fields: ":authority", ":path", then any number of
	 * ":subprotocol", the best first, then others. Events: GW_EV_SESSION_OPEN, or
	 * GW_EV_REJECTED and GW_EV_ENDED. */
	GW_CMD_SESSION = 15,
	/* Accepts a session at a server. Fields: may begin with ":status" (200 to 299) and
	 * ":subprotocol", one of those offered. Event: GW_EV_SESSION_OPEN or GW_EV_ENDED. */
	GW_CMD_ACCEPT = 16,
	/* Asks the peer to end a session soon; or, without id, a connection of HTTP/3. */
	GW_CMD_DRAIN = 17,
	/* A response that is always the same, to GET and HEAD requests for a path at a
	 * listener. Fields: ":path", ":status", others; then content. It replaces the one
	 * before; without ":status" there is none any more. No event is told of requests that
	 * it answers. */
	GW_CMD_ROUTE = 18,
	/* Asks for GW_EV_STATS of a connection. id comes back. */
	GW_CMD_STATS = 19,
	/* What has been written to a stream so far arrives in spite of a later GW_CMD_RESET,
	 * where the peer has reliable resets. It does nothing for requests. */
	GW_CMD_COMMIT = 20,
	/* Asks for keying material of a session (id) that is there: uint32_t length, 1 to
	 * 8160; uint32_t length of the label; the label; the context, both up to 255 bytes.
	 * Event: GW_EV_EXPORTED or GW_EV_ERROR, in the order of the commands. */
	GW_CMD_EXPORT = 21
};

/* How a listener is closed: aux of GW_CMD_CLOSE. */
#define GW_CLOSE_STOP 0u     /* no further connections; those that are there live on */
#define GW_CLOSE_GRACEFUL 1u /* and those of HTTP/3 end when their requests have been answered */
#define GW_CLOSE_ABORT 2u    /* and all are closed now, with the code and the reason */

/*
 * Events, to the host. The header names what they are of; GW_EV_ACCEPTED, GW_EV_STREAM,
 * GW_EV_REQUEST and GW_EV_SESSION bring a new handle.
 */
enum {
	/* conn: a listener. A text: its address, a blank, and the SHA-256 of its certificate
	 * in hexadecimal digits, as in "127.0.0.1:4433 5d41402a...". */
	GW_EV_LISTENING = 1,
	/* conn: a new connection; id: the listener. Fields: "remote", "local", "alpn",
	 * "server_name", and "resumed" if the TLS session was. */
	GW_EV_ACCEPTED = 2,
	/* conn: one that GW_CMD_CONNECT began is there. Fields as above. */
	GW_EV_CONNECTED = 3,
	/* A connection, a listener or a session that was there has ended: its last event.
	 * gw_error. GW_REMOTE. What was on it has ended before. */
	GW_EV_CLOSED = 4,
	/* id: a stream that the peer has opened. GW_UNI. gw_stream_info. */
	GW_EV_STREAM = 5,
	/* A stream of the host's is open, but for requests. gw_stream_info. */
	GW_EV_OPENED = 6,
	/* Bytes of a stream, or the content of a request or response. GW_FIN. They use up the
	 * credit that GW_CMD_CREDIT gives. */
	GW_EV_DATA = 7,
	/* Further bytes may be written to a stream. uint64_t bytes. */
	GW_EV_CREDIT = 8,
	/* The peer has cancelled what it sends. gw_error. Bytes before may be lost. */
	GW_EV_RESET = 9,
	/* The peer wants nothing more of what is sent. gw_error. */
	GW_EV_STOPPED = 10,
	/* A stream, a request, or a session that never was there, has ended in all
	 * directions: its last event. gw_error, of kind GW_OK if that is no fault. */
	GW_EV_ENDED = 11,
	/* A datagram. id: a session, or 0. */
	GW_EV_DATAGRAM = 12,
	/* id: a request of a client's. Fields, ":method" and so on first. GW_FIN. */
	GW_EV_REQUEST = 13,
	/* An interim response. Fields, ":status" first. */
	GW_EV_INFORM = 14,
	/* The response. Fields, ":status" first. GW_FIN. */
	GW_EV_RESPONSE = 15,
	/* Trailers; nothing follows. Fields. GW_FIN. */
	GW_EV_TRAILERS = 16,
	/* id: a session that a client asks for. Fields as of a request, and ":subprotocol"
	 * for each that is offered. GW_SECURE. GW_CMD_ACCEPT or GW_CMD_RESPOND is to follow. */
	GW_EV_SESSION = 17,
	/* A session is there. aux: the draft of the protocol, 2, 7, 13 or 15. Fields, at a
	 * client: ":status", ":subprotocol" if one was chosen, others. */
	GW_EV_SESSION_OPEN = 18,
	/* A server has refused a session. Fields, ":status" first. */
	GW_EV_REJECTED = 19,
	/* The peer asks for a session, or a connection (id 0), to be ended soon. */
	GW_EV_DRAINING = 20,
	/* conn, and the id that GW_CMD_STATS gave. gw_conn_stats. */
	GW_EV_STATS = 21,
	/* A command was not carried out. aux: its type. gw_error. */
	GW_EV_ERROR = 22,
	/* The peer, or this end, has another address. Fields: "remote", "local". */
	GW_EV_PATH = 23,
	/* id: a session. Bytes, which GW_CMD_EXPORT has asked for; both ends get the same. */
	GW_EV_EXPORTED = 24
};

typedef struct gw_stream_info {
	uint64_t stream;  /* QUIC's ID (RFC 9000, Section 2.1) */
	uint32_t session; /* that it belongs to, 0 for none */
	uint32_t zero;
} gw_stream_info;

typedef struct gw_conn_stats {
	uint64_t min_rtt, smoothed_rtt, latest_rtt, rtt_var; /* in nanoseconds */
	uint64_t congestion_window, bytes_in_flight;         /* in bytes */
	uint64_t sent_bytes, received_bytes;                 /* of UDP payloads */
	uint64_t sent_packets, received_packets;
	uint64_t lost_packets, lost_bytes;
	uint64_t sent_datagrams_dropped, received_datagrams_dropped;
	uint64_t max_datagram; /* the largest that may be sent, in bytes; 0 for none */
	uint64_t version;      /* of QUIC */
} gw_conn_stats;

/*
 * Credit. A stream begins with the same number of bytes both ways, GW_WINDOW unless the
 * option "window" of its listener or connection says otherwise. Written bytes use it up
 * until GW_EV_CREDIT gives some back; received ones until GW_CMD_CREDIT does. So neither
 * end of a ring holds more of a stream than that, and a reader that pauses makes the peer
 * pause. The engine stops reading as well while the event ring is three quarters full.
 */
#define GW_WINDOW (256u << 10)

/* ------------------------------------------------------------------------------------
 * 2. Ports
 */

/*
 * What both sides share, at the beginning of the port's memory. Positions in rings count
 * bytes, only grow, and wrap at 2^32; a byte's place is its position modulo the size.
 * Whoever reads a head or a tail of the other side does so with acquire order, and sets
 * its own with release order, or uses the functions below.
 */
typedef struct gw_shared {
	uint32_t magic;   /* 0x54574447, "GDWT" */
	uint32_t version; /* GW_VERSION */
	uint32_t commands, command_size; /* where the ring begins in this memory, and its size */
	uint32_t events, event_size;
	uint32_t state;   /* GW_OPEN, ... */
	uint32_t unused0[9];

	uint32_t command_head; /* the host's: up to where commands are there */
	uint32_t unused1[15];
	uint32_t command_tail; /* the engine's: up to where they have been read */
	uint32_t unused2[15];
	uint32_t event_head;   /* the engine's */
	uint32_t unused3[15];
	uint32_t event_tail;   /* the host's */
	uint32_t unused4[15];

	uint32_t asleep;    /* 1: the engine must be woken when there are commands */
	uint32_t starved;   /* 1: and when half of the event ring is free again */
	uint32_t unused5[14];
	uint32_t woken;     /* 1: the host has been woken, and has not looked since */
	uint32_t unused6[15];

	uint32_t reply;        /* counts replies */
	uint32_t reply_kind;   /* GW_OK or GW_ERR_... of the last */
	uint64_t reply_code;
	uint32_t reply_length; /* of its text */
	uint32_t reply_conn;   /* the handle of the command, 0 when the port has failed */
	char reply_text[488];

	/* Figures, which the engine writes. */
	uint64_t events_written, wakes, dropped_datagrams;
	uint64_t connections, streams; /* that are there now */
} gw_shared;

enum { GW_OPEN = 1, GW_CLOSED = 2, GW_FAILED = 3 };

typedef struct gw_port gw_port;

typedef struct gw_port_options {
	uint32_t size;         /* sizeof(gw_port_options) */
	uint32_t command_size; /* of the rings, powers of two from 64 KiB to 1 GiB; 0: 256 KiB */
	uint32_t event_size;
	uint32_t threads;      /* that run Go code at a time in this process, 0: 1; the first port's counts */
	uint32_t spin;         /* microseconds that the engine looks for commands before it sleeps */
	uint32_t no_fd;        /* 1: wake is enough, there is no descriptor */
	/* Called on a thread of the engine's when there are events and the host has looked
	 * since the last call. It must not call functions of this header, nor wait. May be
	 * NULL: then gw_port_fd tells. */
	void (*wake)(void *context);
	void *context;
} gw_port_options;

/*
 * Opens a port. options may be NULL. It waits for the engine, some 100 microseconds; the
 * first call in a process starts it. NULL, with errno, if there is no memory, thread or
 * descriptor, or EINVAL for options.
 */
GW_API gw_port *gw_port_open(const gw_port_options *options);

/*
 * Closes a port: what has been committed is carried out, connections are closed with code
 * 0, and it waits until their peers have been told, 500 milliseconds at most. wake is not
 * called any more when it returns. The caller's reference to the memory goes with it.
 */
GW_API void gw_port_close(gw_port *p);

/* Returns the port's memory and its size in bytes. */
GW_API gw_shared *gw_port_memory(gw_port *p, size_t *size);

/*
 * The memory has two owners, the host and the engine, and is freed when both have let it
 * go. A host that hands it to somebody who may outlive the port, such as an external
 * buffer of a runtime, takes another reference, which gw_shared_release gives back, also
 * after gw_port_close and on any thread.
 */
GW_API void gw_shared_retain(gw_shared *s);
GW_API void gw_shared_release(gw_shared *s);

/* Makes the commands up to head known to the engine, and wakes it if it sleeps. */
GW_API void gw_port_commit(gw_port *p, uint32_t head);

/* gw_port_commit for one command with GW_CALL, which waits for the reply; at most
 * timeout_ms, or for ever if that is negative. Returns the reply's kind; GW_ERR_PORT
 * also for a timeout. The reply is in the shared memory until the next. After a
 * timeout it may still come, and end the next call: reply_conn says whose it is, and
 * gw_port_call with the same head waits on. */
GW_API int gw_port_call(gw_port *p, uint32_t head, int timeout_ms);

/* Takes note that the host looks, and returns up to where there are events. After it has
 * handled them all, wake is called, and the descriptor readable, when there are more. */
GW_API uint32_t gw_port_look(gw_port *p);

/* Says that events up to tail have been handled: their bytes are not the host's any more. */
GW_API void gw_port_consumed(gw_port *p, uint32_t tail);

/* Returns a descriptor that is readable while there are events that gw_port_look has not
 * told of. Nothing has to be read from it. -1 for a port without. It is the port's. */
GW_API int gw_port_fd(gw_port *p);

/* Waits until there are events that gw_port_look has not told of, timeout_ms at most, or
 * for ever if that is negative. Returns 1 if there are, 0 if not, -1 when the port has
 * failed and nothing is left. */
GW_API int gw_port_wait(gw_port *p, int timeout_ms);

/* Puts back what starting the engine has changed in the process's signal handlers. It is
 * called by gw_port_open, and worth calling as soon as the library has been loaded. */
GW_API void gw_restore_signals(void);

/*
 * Makes a certificate for localhost, 127.0.0.1 and ::1, valid for 13 days, and writes it
 * and its key as PEM, one after the other and with a 0 behind. It is what a listener
 * without the option "cert" makes for itself; this is for who wants to use it elsewhere
 * too. It waits, some milliseconds at most. Returns the length without the 0, or 0, with
 * errno, for ENOBUFS (4096 bytes are enough) or when there is no thread or randomness.
 */
GW_API size_t gw_development_certificate(char *pem, size_t size);

/* The version of the library, such as "0.1.0". */
GW_API const char *gw_version(void);

/* ------------------------------------------------------------------------------------
 * 3. Without knowing the rings
 *
 * These functions write commands and take events apart. What they write leaves together
 * with the next gw_poll, or gw_flush. They keep a little for each stream, request and
 * session: how much may be written. Bytes that they are given are copied; bytes that they
 * give are valid until the next gw_poll.
 *
 * Functions that return an int return 0, or -1 with an error that gw_error_text tells:
 * what was named has ended, or what is to be sent is larger than a ring allows.
 */

/* Names a listener, a connection, or a stream, request or session of one: the handle of
 * the connection in the upper half, and the other's in the lower. 0 names nothing. */
typedef uint64_t gw_ref;

/* Returns the connection or listener that something belongs to. */
static inline gw_ref gw_owner(gw_ref r) { return r & ~(gw_ref)0xffffffffu; }

/* What happened. Which members say something depends on the type. */
typedef struct gw_event {
	uint32_t type;  /* GW_EV_... */
	uint32_t flags; /* GW_FIN, GW_UNI, GW_REMOTE, GW_SECURE */
	uint32_t aux;
	gw_ref conn;          /* the connection or listener */
	gw_ref of;            /* what on it; the connection or listener itself, if it is of that */
	gw_ref session;       /* of GW_EV_STREAM and GW_EV_OPENED: that it belongs to, or 0 */
	const void *data;     /* bytes, a text that is not terminated, or nothing */
	size_t length;        /* of data */
	const gw_field *fields;
	size_t field_count;
	gw_error error;       /* of GW_EV_CLOSED and other ends; its text is data */
	uint64_t stream_id;   /* of those: QUIC's */
	uint64_t credit;      /* of GW_EV_CREDIT */
} gw_event;

/*
 * Takes the next event, and waits for it timeout_ms at most, or for ever if that is
 * negative. Returns 1 with an event, 0 without, and -1 when the port has failed and
 * nothing is left. Handled data is allowed anew by the next gw_poll, unless gw_hold was
 * called.
 */
GW_API int gw_poll(gw_port *p, gw_event *event, int timeout_ms);

/* Makes what was written so far known to the engine. gw_poll does it as well. */
GW_API void gw_flush(gw_port *p);

/* Says that the data of a stream is not allowed anew by itself, but by gw_credit. */
GW_API int gw_hold(gw_port *p, gw_ref id);
GW_API int gw_credit(gw_port *p, gw_ref id, size_t bytes);

/* Returns the value of a field of an event, NULL if there is none. It is not terminated:
 * its length goes to *length. */
GW_API const char *gw_field_value(const gw_event *event, const char *name, size_t *length);

/*
 * Listens. options are names and values, in turn, and a NULL at the end: see README.md.
 * It waits until the address is bound. Returns the listener, 0 for an error.
 * gw_address returns the address as text then.
 */
GW_API gw_ref gw_listen(gw_port *p, const char *const *options);
GW_API const char *gw_address(gw_port *p);

/* Begins a connection, and returns it, 0 for an error. It can be used at once;
 * GW_EV_CONNECTED or GW_EV_CLOSED tells what became of it. */
GW_API gw_ref gw_connect(gw_port *p, const char *const *options);

/* Closes a connection, a listener or a session. mode: GW_CLOSE_... It and all that belongs
 * to it stay until their last events. reason may be NULL. */
GW_API int gw_close(gw_port *p, gw_ref h, uint32_t mode, uint64_t code, const char *reason);

/* Asks the peer to end a connection of HTTP/3, or a session, soon. */
GW_API int gw_drain(gw_port *p, gw_ref h);

/* Opens a stream of a connection or of a session. flags: GW_UNI, GW_NOW. It can be written
 * to at once. Returns it, 0 for an error. */
GW_API gw_ref gw_open(gw_port *p, gw_ref conn_or_session, uint32_t flags);

/*
 * Writes as much as there is credit for, and returns how many bytes that was; less than
 * length, without taking GW_FIN, means: go on after GW_EV_CREDIT. flags: GW_FIN. (size_t)-1
 * for an error.
 */
GW_API size_t gw_write(gw_port *p, gw_ref stream, const void *data, size_t length, uint32_t flags);

/* Returns how many bytes gw_write would take now. */
GW_API size_t gw_writable(gw_port *p, gw_ref stream);

/* Ends what is sent on a stream abruptly, and stops reading one. */
GW_API int gw_reset(gw_port *p, gw_ref stream, uint64_t code);
GW_API int gw_stop(gw_port *p, gw_ref stream, uint64_t code);

/* Has what was written so far arrive in spite of a later gw_reset: see GW_CMD_COMMIT. */
GW_API int gw_commit(gw_port *p, gw_ref stream);

/* Says in which order streams are sent: urgency 0 to 7, lower ones first. */
GW_API int gw_priority(gw_port *p, gw_ref stream, unsigned urgency, int incremental);

/* Sends a datagram of a connection or of a session, unreliably. */
GW_API int gw_datagram(gw_port *p, gw_ref conn_or_session, const void *data, size_t length);

/* Sends a request, and returns it, 0 for an error.
 * flags: GW_FIN, if it has no content. */
GW_API gw_ref gw_request(gw_port *p, gw_ref conn, const gw_field *fields, size_t count, uint32_t flags);

/* Answers a request, or refuses a session. With GW_FIN, data is all of the content;
 * without, gw_write goes on. */
GW_API int gw_respond(gw_port *p, gw_ref request, const gw_field *fields, size_t count,
	const void *data, size_t length, uint32_t flags);
GW_API int gw_inform(gw_port *p, gw_ref request, const gw_field *fields, size_t count);
GW_API int gw_trailers(gw_port *p, gw_ref request, const gw_field *fields, size_t count);

/* Has a listener answer GET and HEAD requests for a path always the same: see
 * GW_CMD_ROUTE. */
GW_API int gw_route(gw_port *p, gw_ref listener, const gw_field *fields, size_t count,
	const void *data, size_t length);

/* Asks for a session of WebTransport, and returns its handle, 0 for an error. */
GW_API gw_ref gw_session(gw_port *p, gw_ref conn, const gw_field *fields, size_t count);

/* Accepts a session that a client asks for. */
GW_API int gw_accept(gw_port *p, gw_ref session, const gw_field *fields, size_t count);

/* Asks for GW_EV_EXPORTED of a session that is there: length bytes, 1 to 8160, which both
 * ends get for the same label and context, up to 255 bytes each. */
GW_API int gw_export(gw_port *p, gw_ref session, const void *label, size_t label_length,
	const void *context, size_t context_length, uint32_t length);

/* Asks for GW_EV_STATS of a connection, whose data is a gw_conn_stats. */
GW_API int gw_stats(gw_port *p, gw_ref conn);

/* Returns what was wrong with the last call on this port that failed. */
GW_API const char *gw_error_text(gw_port *p);

/* Returns the name of an error's kind, such as "idle". */
GW_API const char *gw_error_name(uint32_t kind);

/* Makes a field of two strings. */
static inline gw_field gw_pair(const char *name, const char *value) {
	size_t n = 0, v = 0;
	gw_field f;
	while (name[n]) n++;
	while (value[v]) v++;
	f.name = name, f.name_len = n, f.value = value, f.value_len = v;
	return f;
}

#ifdef __cplusplus
}
#endif

#endif /* GODWIT_H */
