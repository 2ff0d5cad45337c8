//go:build cgo && unix

#include <string.h>

#include "helpers.h"

/* Returns a handle for what the host begins, of a connection or for one. */
static uint32_t new_handle(struct helpers *h) {
	h->last = h->last % 0x7fffffffu + 1;
	return h->last;
}

/* A command with a payload of fields, and bytes after them. */
static int with_fields(gw_port *p, uint8_t type, uint8_t flags, gw_ref ref, const gw_field *fields, size_t count,
	const void *data, size_t length) {
	struct helpers *h = gw__helpers(p);
	if (h == NULL)
		return -1;
	size_t n = gw__fields_size(fields, count) + length;
	unsigned char *to = gw__begin(p, h, n);
	if (to == NULL)
		return gw__fail(h, "what is to be sent is larger than a quarter of the command ring, or the port has failed");
	to = gw__put_fields(to, fields, count);
	if (length > 0)
		memcpy(to, data, length);
	gw__end(p, h, type, flags, 0, ref, n);
	return 0;
}

/* A command with a payload of bytes. */
static int with_bytes(gw_port *p, uint8_t type, uint8_t flags, uint16_t aux, gw_ref ref, const void *data, size_t length) {
	struct helpers *h = gw__helpers(p);
	if (h == NULL)
		return -1;
	unsigned char *to = gw__begin(p, h, length);
	if (to == NULL)
		return gw__fail(h, "what is to be sent is larger than a quarter of the command ring, or the port has failed");
	if (length > 0)
		memcpy(to, data, length);
	gw__end(p, h, type, flags, aux, ref, length);
	return 0;
}

static int with_number(gw_port *p, uint8_t type, gw_ref ref, uint64_t n) {
	return with_bytes(p, type, 0, 0, ref, &n, sizeof n);
}

/* How many options an address takes at most. */
enum { MAX_OPTIONS = 64 };

static int with_options(gw_port *p, uint8_t type, uint8_t flags, gw_ref ref, const char *const *options) {
	gw_field fields[MAX_OPTIONS];
	size_t n = 0;
	for (; options[2 * n] != NULL; n++) {
		if (n == MAX_OPTIONS)
			return gw__fail(gw__helpers(p), "too many options");
		fields[n] = gw_pair(options[2 * n], options[2 * n + 1]);
	}
	return with_fields(p, type, flags, ref, fields, n, NULL, 0);
}

gw_ref gw_listen(gw_port *p, const char *const *options) {
	struct helpers *h = gw__helpers(p);
	if (h == NULL)
		return 0;
	gw_ref ref = gw__ref(new_handle(h), 0);
	if (with_options(p, GW_CMD_LISTEN, GW_CALL, ref, options) != 0)
		return 0;
	int kind = gw_port_call(p, h->head, -1);
	size_t n = p->mem->reply_length;
	char *to = kind == GW_OK ? h->address : h->text;
	memcpy(to, p->mem->reply_text, n);
	to[n] = 0;
	return kind == GW_OK ? ref : 0;
}

const char *gw_address(gw_port *p) {
	struct helpers *h = gw__helpers(p);
	if (h == NULL)
		return "";
	char *blank = strchr(h->address, ' ');
	if (blank != NULL)
		*blank = 0;
	return h->address;
}

gw_ref gw_connect(gw_port *p, const char *const *options) {
	struct helpers *h = gw__helpers(p);
	if (h == NULL)
		return 0;
	gw_ref ref = gw__ref(new_handle(h), 0);
	return with_options(p, GW_CMD_CONNECT, 0, ref, options) == 0 ? ref : 0;
}

int gw_close(gw_port *p, gw_ref ref, uint32_t mode, uint64_t code, const char *reason) {
	unsigned char b[8 + 1024];
	size_t n = reason == NULL ? 0 : strlen(reason);
	if (n > 1024)
		n = 1024;
	memcpy(b, &code, 8);
	if (n > 0)
		memcpy(b + 8, reason, n);
	return with_bytes(p, GW_CMD_CLOSE, 0, (uint16_t)mode, ref, b, 8 + n);
}

int gw_drain(gw_port *p, gw_ref ref) { return with_bytes(p, GW_CMD_DRAIN, 0, 0, ref, NULL, 0); }

/* Makes a new stream, request or session of a connection known. */
static gw_ref begin(struct helpers *h, gw_ref conn) {
	gw_ref ref = gw__ref(gw__conn(conn), new_handle(h));
	if (gw__add(h, ref) == NULL) {
		gw__fail(h, "no memory");
		return 0;
	}
	return ref;
}

/* Forgets it again if the command could not be written. */
static gw_ref begun(struct helpers *h, gw_ref ref, int err) {
	if (err == 0)
		return ref;
	gw__remove(h, ref);
	return 0;
}

gw_ref gw_open(gw_port *p, gw_ref of, uint32_t flags) {
	struct helpers *h = gw__helpers(p);
	gw_ref ref = h == NULL ? 0 : begin(h, of);
	uint32_t session[2] = {gw__id(of), 0};
	return ref == 0 ? 0 : begun(h, ref, with_bytes(p, GW_CMD_OPEN, (uint8_t)(flags & (GW_UNI | GW_NOW)), 0, ref, session, sizeof session));
}

size_t gw_writable(gw_port *p, gw_ref ref) {
	struct helpers *h = gw__helpers(p);
	struct stream *s = h == NULL ? NULL : gw__find(h, ref);
	return s == NULL || s->finished ? 0 : (size_t)s->credit;
}

/* The most that one command carries. */
enum { MAX_PIECE = 16 << 10 };

size_t gw_write(gw_port *p, gw_ref ref, const void *data, size_t length, uint32_t flags) {
	struct helpers *h = gw__helpers(p);
	struct stream *s = h == NULL ? NULL : gw__find(h, ref);
	if (s == NULL || s->finished) {
		if (h != NULL)
			gw__fail(h, "the stream has ended");
		return (size_t)-1;
	}
	size_t done = 0;
	do {
		size_t n = length - done;
		if (n > s->credit)
			n = (size_t)s->credit;
		if (n > MAX_PIECE)
			n = MAX_PIECE;
		uint8_t fin = (flags & GW_FIN) && done + n == length ? GW_FIN : 0;
		if (n == 0 && length > done)
			break; /* no credit */
		if (n == 0 && !fin)
			break;
		if (with_bytes(p, GW_CMD_WRITE, fin, 0, ref, (const char *)data + done, n) != 0)
			return done > 0 ? done : (size_t)-1;
		s->credit -= n;
		s->finished = fin;
		done += n;
	} while (done < length);
	return done;
}

int gw_reset(gw_port *p, gw_ref ref, uint64_t code) {
	struct helpers *h = gw__helpers(p);
	struct stream *s = h == NULL ? NULL : gw__find(h, ref);
	if (s != NULL)
		s->finished = 1;
	return with_number(p, GW_CMD_RESET, ref, code);
}

int gw_stop(gw_port *p, gw_ref ref, uint64_t code) { return with_number(p, GW_CMD_STOP, ref, code); }

int gw_credit(gw_port *p, gw_ref ref, size_t bytes) { return with_number(p, GW_CMD_CREDIT, ref, bytes); }

int gw_hold(gw_port *p, gw_ref ref) {
	struct helpers *h = gw__helpers(p);
	struct stream *s = h == NULL ? NULL : gw__find(h, ref);
	if (s == NULL)
		return h == NULL ? -1 : gw__fail(h, "the stream has ended");
	s->hold = 1;
	if (h->handled == ref)
		h->handled = 0;
	return 0;
}

int gw_commit(gw_port *p, gw_ref ref) { return with_bytes(p, GW_CMD_COMMIT, 0, 0, ref, NULL, 0); }

int gw_export(gw_port *p, gw_ref ref, const void *label, size_t label_length, const void *context, size_t context_length, uint32_t length) {
	unsigned char payload[8 + 255 + 255];
	uint32_t head[2] = {length, (uint32_t)label_length};
	struct helpers *h = gw__helpers(p);
	if (label_length > 255 || context_length > 255)
		return h == NULL ? -1 : gw__fail(h, "a label or context has more than 255 bytes");
	memcpy(payload, head, sizeof head);
	if (label_length > 0)
		memcpy(payload + 8, label, label_length);
	if (context_length > 0)
		memcpy(payload + 8 + label_length, context, context_length);
	return with_bytes(p, GW_CMD_EXPORT, 0, 0, ref, payload, 8 + label_length + context_length);
}

int gw_priority(gw_port *p, gw_ref ref, unsigned urgency, int incremental) {
	return with_bytes(p, GW_CMD_PRIORITY, 0, (uint16_t)((urgency & 7) | (incremental ? 256 : 0)), ref, NULL, 0);
}

int gw_datagram(gw_port *p, gw_ref of, const void *data, size_t length) {
	return with_bytes(p, GW_CMD_DATAGRAM, 0, 0, of, data, length);
}

gw_ref gw_request(gw_port *p, gw_ref conn, const gw_field *fields, size_t count, uint32_t flags) {
	struct helpers *h = gw__helpers(p);
	gw_ref ref = h == NULL ? 0 : begin(h, conn);
	if (ref != 0)
		ref = begun(h, ref, with_fields(p, GW_CMD_REQUEST, (uint8_t)(flags & GW_FIN), ref, fields, count, NULL, 0));
	if (ref != 0 && (flags & GW_FIN))
		gw__find(h, ref)->finished = 1;
	return ref;
}

int gw_respond(gw_port *p, gw_ref request, const gw_field *fields, size_t count, const void *data, size_t length, uint32_t flags) {
	int err = with_fields(p, GW_CMD_RESPOND, (uint8_t)(flags & GW_FIN), request, fields, count, data, length);
	struct helpers *h = gw__helpers(p);
	struct stream *s = h == NULL ? NULL : gw__find(h, request);
	if (err == 0 && s != NULL && (flags & GW_FIN))
		s->finished = 1;
	return err;
}

int gw_inform(gw_port *p, gw_ref request, const gw_field *fields, size_t count) {
	return with_fields(p, GW_CMD_INFORM, 0, request, fields, count, NULL, 0);
}

int gw_trailers(gw_port *p, gw_ref request, const gw_field *fields, size_t count) {
	return with_fields(p, GW_CMD_TRAILERS, GW_FIN, request, fields, count, NULL, 0);
}

int gw_route(gw_port *p, gw_ref listener, const gw_field *fields, size_t count, const void *data, size_t length) {
	return with_fields(p, GW_CMD_ROUTE, 0, listener, fields, count, data, length);
}

gw_ref gw_session(gw_port *p, gw_ref conn, const gw_field *fields, size_t count) {
	struct helpers *h = gw__helpers(p);
	gw_ref ref = h == NULL ? 0 : begin(h, conn);
	return ref == 0 ? 0 : begun(h, ref, with_fields(p, GW_CMD_SESSION, 0, ref, fields, count, NULL, 0));
}

int gw_accept(gw_port *p, gw_ref session, const gw_field *fields, size_t count) {
	return with_fields(p, GW_CMD_ACCEPT, 0, session, fields, count, NULL, 0);
}

int gw_stats(gw_port *p, gw_ref conn) { return with_bytes(p, GW_CMD_STATS, 0, 0, gw_owner(conn), NULL, 0); }
