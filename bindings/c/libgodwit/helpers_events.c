//go:build cgo && unix

#include <stdlib.h>
#include <string.h>

#include "helpers.h"

/* Takes the fields of an event apart. Returns where what follows them begins. */
static const unsigned char *take_fields(struct helpers *h, gw_event *e, const unsigned char *b) {
	uint32_t head[2];
	memcpy(head, b, sizeof head);
	if (head[0] > h->field_room) {
		gw_field *more = realloc(h->fields, head[0] * sizeof *more);
		if (more == NULL)
			return b;
		h->fields = more;
		h->field_room = head[0];
	}
	const unsigned char *text = b + 8 + 8 * (size_t)head[0];
	for (uint32_t i = 0; i < head[0]; i++) {
		uint32_t size[2];
		memcpy(size, b + 8 + 8 * (size_t)i, sizeof size);
		h->fields[i] = (gw_field){(const char *)text, size[0], (const char *)text + size[0], size[1]};
		text += size[0] + size[1];
	}
	e->fields = h->fields;
	e->field_count = head[0];
	return text;
}

/* Takes the payload of an event apart. */
static void take(struct helpers *h, gw_event *e, const unsigned char *b, uint32_t n) {
	e->data = b;
	e->length = n;
	switch (e->type) {
	case GW_EV_ACCEPTED:
	case GW_EV_CONNECTED:
	case GW_EV_REQUEST:
	case GW_EV_INFORM:
	case GW_EV_RESPONSE:
	case GW_EV_TRAILERS:
	case GW_EV_SESSION:
	case GW_EV_SESSION_OPEN:
	case GW_EV_REJECTED:
	case GW_EV_PATH:
		e->data = take_fields(h, e, b);
		e->length = n - (size_t)((const unsigned char *)e->data - b);
		break;
	case GW_EV_CLOSED:
	case GW_EV_RESET:
	case GW_EV_STOPPED:
	case GW_EV_ENDED:
	case GW_EV_ERROR:
		memcpy(&e->error, b, sizeof e->error);
		e->data = b + sizeof e->error;
		e->length = n - sizeof e->error;
		break;
	case GW_EV_STREAM:
	case GW_EV_OPENED: {
		gw_stream_info info;
		memcpy(&info, b, sizeof info);
		e->stream_id = info.stream;
		e->session = info.session == 0 ? 0 : gw__ref(gw__conn(e->conn), info.session);
		e->length = 0;
		break;
	}
	case GW_EV_CREDIT:
		memcpy(&e->credit, b, sizeof e->credit);
		e->length = 0;
		break;
	default:
		break;
	}
}

/* Keeps what is known of streams up to date. */
static void note(struct helpers *h, const gw_event *e) {
	struct stream *s = gw__find(h, e->of);
	switch (e->type) {
	case GW_EV_STREAM:
	case GW_EV_REQUEST:
	case GW_EV_SESSION:
		gw__add(h, e->of);
		break;
	case GW_EV_DATA:
		if (s != NULL && !s->hold && !(e->flags & GW_FIN)) {
			h->handled = e->of;
			h->allow = e->length;
		}
		break;
	case GW_EV_CREDIT:
		if (s != NULL)
			s->credit += e->credit;
		break;
	case GW_EV_STOPPED:
		if (s != NULL)
			s->finished = 1;
		break;
	case GW_EV_ENDED:
	case GW_EV_CLOSED:
		h->ended = gw__id(e->of) == 0 ? 0 : e->of;
		break;
	default:
		break;
	}
}

/* Ends what the last event was. */
static void settle(gw_port *p, struct helpers *h) {
	if (h->handled != 0)
		gw_credit(p, h->handled, (size_t)h->allow);
	if (h->ended != 0)
		gw__remove(h, h->ended);
	h->handled = h->ended = 0;
	if (h->tail != gw__load(&p->mem->event_tail))
		gw_port_consumed(p, h->tail);
}

/* Takes the next event that is there. */
static int next(gw_port *p, struct helpers *h, gw_event *e) {
	gw_shared *m = p->mem;
	for (;;) {
		if (h->tail == h->known && (h->known = gw_port_look(p)) == h->tail)
			return 0;
		const unsigned char *at = (const unsigned char *)m + m->events + (h->tail & (m->event_size - 1));
		gw_record r;
		memcpy(&r, at, sizeof r);
		h->tail += GW_RECORD_SIZE(r.length);
		if (r.type == GW_SKIP)
			continue;
		memset(e, 0, sizeof *e);
		e->type = r.type;
		e->flags = r.flags;
		e->aux = r.aux;
		e->conn = gw__ref(r.conn, 0);
		e->of = gw__ref(r.conn, r.id);
		if (r.type == GW_EV_ACCEPTED || r.type == GW_EV_STATS) {
			e->of = e->conn; /* the id is the listener's */
			e->session = gw__ref(r.id, 0);
		}
		take(h, e, at + GW_HEADER, r.length);
		note(h, e);
		return 1;
	}
}

int gw_poll(gw_port *p, gw_event *e, int timeout_ms) {
	struct helpers *h = gw__helpers(p);
	if (h == NULL)
		return -1;
	settle(p, h);
	gw_port_commit(p, h->head);
	struct timespec end, now;
	gw__until(timeout_ms < 0 ? 0 : timeout_ms, &end);
	for (int there = 1;; there = gw_port_wait(p, timeout_ms)) {
		if (next(p, h, e))
			return 1;
		if (there <= 0)
			return there;
		if (timeout_ms > 0) { /* what was there may have been no event, such as a ring's end */
			gw__until(0, &now);
			int64_t left = (int64_t)(end.tv_sec - now.tv_sec) * 1000 + (end.tv_nsec - now.tv_nsec) / 1000000;
			timeout_ms = left > 0 ? (int)left : 0;
		}
	}
}

const char *gw_field_value(const gw_event *e, const char *name, size_t *length) {
	size_t n = strlen(name);
	for (size_t i = 0; i < e->field_count; i++) {
		const gw_field *f = &e->fields[i];
		if (f->name_len == n && memcmp(f->name, name, n) == 0) {
			if (length != NULL)
				*length = f->value_len;
			return f->value;
		}
	}
	return NULL;
}
