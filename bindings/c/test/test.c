/*
 * What a program in C relies on:
 *
 *	test EVENTS PORTS
 *
 * says how many events to take and how many ports to open and close.
 */
#include <errno.h>
#include <godwit.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(what) \
	do { \
		if (!(what)) { \
			fprintf(stderr, "%s:%d: failed: %s (%s)\n", __FILE__, __LINE__, #what, port == NULL ? "" : gw_error_text(port)); \
			exit(1); \
		} \
	} while (0)

enum { PATIENCE = 60000 };

/* Under valgrind on a busy machine a handshake takes seconds. */
#define PATIENT "handshake_timeout", "60000", "idle_timeout", "60000"

static gw_port *port;

/* Waits for an event of a type, and takes note of connections on the way. */
static gw_event want(uint32_t type, gw_ref of) {
	gw_event e;
	while (gw_poll(port, &e, PATIENCE) > 0)
		if (e.type == type && (of == 0 || e.of == of))
			return e;
	fprintf(stderr, "no event %u\n", type);
	exit(1);
}

static gw_ref client, server;

static void open_pair(void) {
	const char *listening[] = {"address", "127.0.0.1:0", "alpn", "test", PATIENT, NULL};
	CHECK(gw_listen(port, listening) != 0);
	const char *connecting[] = {"address", gw_address(port), "alpn", "test", "insecure", "1", PATIENT, NULL};
	client = gw_connect(port, connecting);
	CHECK(client != 0);
	int there = 0;
	gw_event e;
	while (there < 2 && gw_poll(port, &e, PATIENCE) > 0) {
		if (e.type == GW_EV_ACCEPTED) {
			server = e.conn;
			size_t n;
			CHECK(gw_field_value(&e, "alpn", &n) != NULL && n == 4);
			CHECK(gw_field_value(&e, "nothing", &n) == NULL);
		}
		there += e.type == GW_EV_ACCEPTED || e.type == GW_EV_CONNECTED;
	}
	CHECK(there == 2);
}

/* As many events as one likes, each asked for by a command. */
static void events(long n) {
	long asked = 0, answered = 0;
	while (answered < n) {
		while (asked < n && asked - answered < 1000) {
			CHECK(gw_stats(port, client) == 0);
			asked++;
		}
		gw_event e;
		CHECK(gw_poll(port, &e, PATIENCE) == 1);
		if (e.type == GW_EV_STATS) {
			gw_conn_stats s;
			CHECK(e.length == sizeof s);
			memcpy(&s, e.data, sizeof s);
			CHECK(s.version == 1 && s.smoothed_rtt > 0);
			answered++;
		}
	}
}

/* Bytes to the server and back, more than any window. */
static void echo(size_t size) {
	unsigned char *sent = malloc(size), *got = malloc(size);
	for (size_t i = 0; i < size; i++)
		sent[i] = (unsigned char)(i * 7 + i / 251);
	gw_ref stream = gw_open(port, client, 0);
	size_t written = gw_write(port, stream, sent, size, GW_FIN), read = 0;
	CHECK(written == GW_WINDOW && gw_writable(port, stream) == 0);
	int over = 0;
	gw_event e;
	while (over < 2 && gw_poll(port, &e, PATIENCE) > 0) {
		if (e.type == GW_EV_STREAM) {
			gw_hold(port, e.of);
		} else if (e.type == GW_EV_DATA && e.conn == server) {
			CHECK(gw_write(port, e.of, e.data, e.length, e.flags & GW_FIN) == e.length);
		} else if (e.type == GW_EV_CREDIT && e.conn == server) {
			gw_credit(port, e.of, (size_t)e.credit);
		} else if (e.type == GW_EV_CREDIT && written < size) {
			written += gw_write(port, stream, sent + written, size - written, GW_FIN);
		} else if (e.type == GW_EV_DATA) {
			CHECK(read + e.length <= size);
			memcpy(got + read, e.data, e.length);
			read += e.length;
		} else if (e.type == GW_EV_ENDED) {
			CHECK(e.error.kind == GW_OK);
			over++;
		}
	}
	CHECK(over == 2 && written == size && read == size && memcmp(sent, got, size) == 0);
	CHECK(gw_write(port, stream, "x", 1, 0) == (size_t)-1);
	free(sent);
	free(got);
}

/* What goes wrong is told, and nothing hangs. */
static void errors(void) {
	const char *wrong[] = {"address", "127.0.0.1:0", "alpn", "x", "colour", "red", NULL};
	CHECK(gw_listen(port, wrong) == 0 && strstr(gw_error_text(port), "colour") != NULL);
	const char *nobody[] = {"address", "127.0.0.1:1", "alpn", "x", "insecure", "1", NULL};
	gw_ref conn = gw_connect(port, nobody);
	gw_ref stream = gw_open(port, conn, 0);
	CHECK(want(GW_EV_ENDED, stream).error.kind == GW_ERR_REFUSED);
	gw_event e = want(GW_EV_CLOSED, conn);
	CHECK(e.error.kind == GW_ERR_REFUSED && e.length > 0);
	/* A request that could not be sent leaves nothing behind; its handle came before the next one's. */
	size_t most = 1 << 20;
	char *large = calloc(1, most);
	gw_field field = {"x", 1, large, most};
	CHECK(gw_request(port, client, &field, 1, 0) == 0 && strstr(gw_error_text(port), "larger") != NULL);
	CHECK(gw_writable(port, gw_open(port, client, 0) - 1) == 0);
	free(large);
	const char *untrusted[] = {"address", gw_address(port), "alpn", "test", PATIENT, NULL};
	conn = gw_connect(port, untrusted);
	e = want(GW_EV_CLOSED, conn);
	if (e.error.kind != GW_ERR_CERTIFICATE)
		fprintf(stderr, "%s: %.*s\n", gw_error_name(e.error.kind), (int)e.length, (const char *)e.data);
	CHECK(e.error.kind == GW_ERR_CERTIFICATE);
	gw_close(port, client, 0, 77, "because");
	e = want(GW_EV_CLOSED, server);
	CHECK(e.error.kind == GW_ERR_APPLICATION && e.error.code == 77 && (e.flags & GW_REMOTE));
	CHECK(e.length == 7 && memcmp(e.data, "because", 7) == 0);
}

/* The descriptor is readable when there are events, and only then. */
static void descriptor(void) {
	struct pollfd fd = {.fd = gw_port_fd(port), .events = POLLIN};
	gw_event e;
	while (gw_poll(port, &e, 0) > 0)
		;
	CHECK(poll(&fd, 1, 0) == 0);
	CHECK(gw_stats(port, client) == 0);
	gw_flush(port);
	CHECK(poll(&fd, 1, PATIENCE) == 1);
	while (gw_poll(port, &e, 0) > 0)
		;
	CHECK(poll(&fd, 1, 0) == 0);
}

/* A certificate for development serves a listener, and is one that a client can trust. */
static void certificate(void) {
	char pem[4096], cert[4096];
	CHECK(gw_development_certificate(pem, 10) == 0 && errno == ENOBUFS);
	size_t n = gw_development_certificate(pem, sizeof pem);
	CHECK(n > 0 && n < sizeof pem && pem[n] == 0);
	const char *key = strstr(pem, "-----BEGIN PRIVATE KEY-----");
	CHECK(strncmp(pem, "-----BEGIN CERTIFICATE-----", 27) == 0 && key != NULL);
	memcpy(cert, pem, (size_t)(key - pem));
	cert[key - pem] = 0;
	const char *listening[] = {"address", "127.0.0.1:0", "alpn", "test", "cert", cert, "key", key, PATIENT, NULL};
	CHECK(gw_listen(port, listening) != 0);
	const char *connecting[] = {"address", gw_address(port), "alpn", "test", "ca", cert, "server_name", "localhost", PATIENT, NULL};
	gw_ref conn = gw_connect(port, connecting);
	want(GW_EV_CONNECTED, conn);
	gw_close(port, conn, 0, 0, NULL);
}

/* Exports keying material at both ends of a session, as many bytes as the label has. */
static void export_both(gw_ref ours, gw_ref theirs, const char *label, const char *context, unsigned char got[2][8160]) {
	uint32_t length = (uint32_t)strlen(label);
	CHECK(gw_export(port, ours, label, length, context, strlen(context), length) == 0);
	CHECK(gw_export(port, theirs, label, length, context, strlen(context), length) == 0);
	for (int i = 0; i < 2; i++) {
		gw_event e;
		do
			CHECK(gw_poll(port, &e, PATIENCE) == 1);
		while (e.type != GW_EV_EXPORTED && e.type != GW_EV_ERROR);
		CHECK(e.type == GW_EV_EXPORTED && e.length == length && (e.of == ours || e.of == theirs));
		memcpy(got[e.of == theirs], e.data, length);
	}
	CHECK(memcmp(got[0], got[1], length) == 0);
}

/* Both ends of a session export the same, and what was committed on a stream arrives in
 * spite of a reset. */
static void session(void) {
	const char *listening[] = {"address", "127.0.0.1:0", "protocol", "h3", "webtransport", "1", PATIENT, NULL};
	gw_ref listener = gw_listen(port, listening);
	CHECK(listener != 0);
	const char *connecting[] = {"address", gw_address(port), "protocol", "h3", "webtransport", "1", "insecure", "1", PATIENT, NULL};
	gw_ref conn = gw_connect(port, connecting);
	gw_field fields[] = {gw_pair(":authority", "localhost"), gw_pair(":path", "/")};
	gw_ref ours = gw_session(port, conn, fields, 2), theirs = want(GW_EV_SESSION, 0).of;
	CHECK(ours != 0 && gw_export(port, theirs, "early", 5, NULL, 0, 32) == 0);
	gw_event e = want(GW_EV_ERROR, theirs);
	CHECK(e.aux == GW_CMD_EXPORT && e.error.kind == GW_ERR_COMMAND);
	CHECK(gw_accept(port, theirs, NULL, 0) == 0);
	want(GW_EV_SESSION_OPEN, ours);

	static unsigned char first[2][8160], second[2][8160];
	static char long_label[257];
	memset(long_label, 'x', 256);
	export_both(ours, theirs, "as many bytes as keys have: 32..", "", first);
	export_both(ours, theirs, "as many bytes as keys have: 32..", "a context", second);
	CHECK(memcmp(first[0], second[0], 32) != 0);
	CHECK(gw_export(port, ours, long_label, 256, NULL, 0, 1) == -1 && strstr(gw_error_text(port), "255") != NULL);
	CHECK(gw_export(port, ours, "", 0, long_label, 256, 1) == -1);
	static const uint32_t lengths[] = {1, 0, 8160, 8161, 2}; /* answered in this order */
	for (int i = 0; i < 5; i++)
		CHECK(gw_export(port, ours, long_label, 255, long_label, 255, lengths[i]) == 0);
	for (int i = 0; i < 5; i++) {
		int wrong = lengths[i] == 0 || lengths[i] > 8160;
		e = want(wrong ? GW_EV_ERROR : GW_EV_EXPORTED, ours);
		CHECK(wrong ? e.aux == GW_CMD_EXPORT && e.error.kind == GW_ERR_COMMAND : e.length == lengths[i]);
	}

	gw_ref stream = gw_open(port, ours, GW_UNI);
	CHECK(gw_write(port, stream, "committed", 9, 0) == 9 && gw_commit(port, stream) == 0);
	CHECK(gw_write(port, stream, " or not", 7, 0) == 7 && gw_reset(port, stream, 7) == 0);
	char got[16];
	size_t n = 0;
	do {
		CHECK(gw_poll(port, &e, PATIENCE) == 1);
		if (e.type != GW_EV_DATA)
			continue;
		CHECK(n + e.length <= sizeof got);
		memcpy(got + n, e.data, e.length);
		n += e.length;
	} while (e.type != GW_EV_RESET);
	CHECK(e.error.kind == GW_ERR_STREAM && e.error.code == 7 && (e.flags & GW_REMOTE));
	CHECK(n >= 9 && memcmp(got, "committed or not", n) == 0);

	gw_close(port, ours, 0, 5, "enough");
	e = want(GW_EV_CLOSED, theirs);
	CHECK(e.error.kind == GW_ERR_SESSION && e.error.code == 5 && e.length == 6 && memcmp(e.data, "enough", 6) == 0);
	gw_close(port, listener, GW_CLOSE_ABORT, 0, NULL);
	want(GW_EV_CLOSED, listener);
}

static void wake(void *context) { __atomic_fetch_add((int *)context, 1, __ATOMIC_SEQ_CST); }

/* Ports come and go, some with a listener, one with memory that outlives it. */
static void ports(long n) {
	for (long i = 0; i < n; i++) {
		int woken = 0;
		gw_port_options options = {.size = sizeof options, .command_size = 64 << 10, .event_size = 64 << 10, .wake = wake, .context = &woken};
		gw_port *old = port;
		port = gw_port_open(&options);
		CHECK(port != NULL);
		if (i % 10 == 0) {
			const char *listening[] = {"address", "127.0.0.1:0", "alpn", "test", PATIENT, NULL};
			CHECK(gw_listen(port, listening) != 0);
			want(GW_EV_LISTENING, 0);
			CHECK(__atomic_load_n(&woken, __ATOMIC_SEQ_CST) > 0);
		}
		gw_shared *memory = gw_port_memory(port, NULL);
		gw_shared_retain(memory);
		gw_port_close(port);
		CHECK(memory->state == GW_CLOSED);
		gw_shared_release(memory);
		port = old;
	}
	gw_port_options wrong = {.size = sizeof wrong, .event_size = 100000};
	CHECK(gw_port_open(&wrong) == NULL);
}

int main(int argc, char **argv) {
	long n = argc > 1 ? atol(argv[1]) : 1000, m = argc > 2 ? atol(argv[2]) : 10;
	port = gw_port_open(NULL);
	CHECK(port != NULL);
	open_pair();
	descriptor();
	echo(8 << 20);
	events(n);
	errors();
	certificate();
	session();
	ports(m);
	gw_port_close(port);
	printf("%ld events, %ld ports\n", n, m);
	return 0;
}
