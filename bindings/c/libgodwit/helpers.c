//go:build cgo && unix

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helpers.h"

const char *gw_version(void) { return "0.1.0"; }

struct helpers *gw__helpers(gw_port *p) {
	if (p->helpers == NULL)
		p->helpers = calloc(1, sizeof *p->helpers);
	return p->helpers;
}

void gw__free_helpers(struct helpers *h) {
	if (h == NULL)
		return;
	free(h->streams.places);
	free(h->fields);
	free(h);
}

int gw__fail(struct helpers *h, const char *what) {
	snprintf(h->text, sizeof h->text, "%s", what);
	return -1;
}

const char *gw_error_text(gw_port *p) {
	struct helpers *h = gw__helpers(p);
	return h == NULL ? "no memory" : h->text;
}

const char *gw_error_name(uint32_t kind) {
	static const char *const names[] = {"ok", "application", "transport", "tls", "certificate", "idle", "handshake timeout",
		"refused", "resolve", "stateless reset", "version", "cancelled", "option", "address", "stream", "session", "http",
		"unsupported", "limit", "goaway", "size", "command", "port"};
	return kind < sizeof names / sizeof *names ? names[kind] : "unknown";
}

/* ---- the table of streams ---- */

static size_t place_of(const struct table *t, gw_ref ref) {
	return (size_t)((ref * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (t->size - 1);
}

struct stream *gw__find(struct helpers *h, gw_ref ref) {
	struct table *t = &h->streams;
	if (t->size == 0 || ref == 0)
		return NULL;
	for (size_t i = place_of(t, ref); t->places[i].ref != 0; i = (i + 1) & (t->size - 1))
		if (t->places[i].ref == ref)
			return &t->places[i];
	return NULL;
}

static int grow(struct table *t) {
	struct table bigger = {.size = t->size == 0 ? 64 : 2 * t->size, .used = t->used};
	bigger.places = calloc(bigger.size, sizeof *bigger.places);
	if (bigger.places == NULL)
		return -1;
	for (size_t i = 0; i < t->size; i++) {
		if (t->places[i].ref == 0)
			continue;
		size_t j = place_of(&bigger, t->places[i].ref);
		while (bigger.places[j].ref != 0)
			j = (j + 1) & (bigger.size - 1);
		bigger.places[j] = t->places[i];
	}
	free(t->places);
	*t = bigger;
	return 0;
}

struct stream *gw__add(struct helpers *h, gw_ref ref) {
	struct table *t = &h->streams;
	struct stream *found = gw__find(h, ref);
	if (found != NULL)
		return found;
	if (2 * (t->used + 1) > t->size && grow(t) != 0)
		return NULL;
	size_t i = place_of(t, ref);
	while (t->places[i].ref != 0)
		i = (i + 1) & (t->size - 1);
	t->places[i] = (struct stream){.ref = ref, .credit = GW_WINDOW};
	t->used++;
	return &t->places[i];
}

/* Frees a place, and moves those that stand behind it where they belong. */
void gw__remove(struct helpers *h, gw_ref ref) {
	struct table *t = &h->streams;
	struct stream *s = gw__find(h, ref);
	if (s == NULL)
		return;
	size_t hole = (size_t)(s - t->places), mask = t->size - 1;
	for (size_t i = (hole + 1) & mask; t->places[i].ref != 0; i = (i + 1) & mask) {
		size_t home = place_of(t, t->places[i].ref);
		if (((i - home) & mask) >= ((i - hole) & mask)) {
			t->places[hole] = t->places[i];
			hole = i;
		}
	}
	t->places[hole].ref = 0;
	t->used--;
}

/* ---- writing commands ---- */

void gw_flush(gw_port *p) {
	struct helpers *h = gw__helpers(p);
	if (h != NULL)
		gw_port_commit(p, h->head);
}

unsigned char *gw__begin(gw_port *p, struct helpers *h, size_t length) {
	gw_shared *m = p->mem;
	unsigned char *ring = (unsigned char *)m + m->commands;
	if (length > m->command_size / 4)
		return NULL;
	uint32_t size = GW_RECORD_SIZE(length);
	for (;;) {
		uint32_t free_bytes = m->command_size - (h->head - gw__load(&m->command_tail));
		uint32_t at = h->head & (m->command_size - 1), run = m->command_size - at;
		if (run >= size && free_bytes >= size)
			return ring + at + GW_HEADER;
		if (run < size && free_bytes >= run) {
			gw_record skip = {.length = run - GW_HEADER, .type = GW_SKIP};
			memcpy(ring + at, &skip, sizeof skip);
			h->head += run;
			continue;
		}
		if (gw__load(&m->state) != GW_OPEN)
			return NULL;
		gw_port_commit(p, h->head); /* the engine reads on, whatever it is told */
		sched_yield();
	}
}

void gw__end(gw_port *p, struct helpers *h, uint8_t type, uint8_t flags, uint16_t aux, gw_ref ref, size_t length) {
	gw_shared *m = p->mem;
	gw_record r = {(uint32_t)length, type, flags, aux, gw__conn(ref), gw__id(ref)};
	memcpy((unsigned char *)m + m->commands + (h->head & (m->command_size - 1)), &r, sizeof r);
	h->head += GW_RECORD_SIZE(length);
}

size_t gw__fields_size(const gw_field *fields, size_t count) {
	size_t n = 8 + 8 * count;
	for (size_t i = 0; i < count; i++)
		n += fields[i].name_len + fields[i].value_len;
	return n;
}

static unsigned char *put_u32(unsigned char *to, uint32_t v) {
	memcpy(to, &v, sizeof v);
	return to + sizeof v;
}

static unsigned char *put_text(unsigned char *to, const char *text, size_t n) {
	if (n > 0)
		memcpy(to, text, n);
	return to + n;
}

unsigned char *gw__put_fields(unsigned char *to, const gw_field *fields, size_t count) {
	to = put_u32(to, (uint32_t)count);
	to = put_u32(to, (uint32_t)(gw__fields_size(fields, count) - 8 - 8 * count));
	for (size_t i = 0; i < count; i++) {
		to = put_u32(to, (uint32_t)fields[i].name_len);
		to = put_u32(to, (uint32_t)fields[i].value_len);
	}
	for (size_t i = 0; i < count; i++) {
		to = put_text(to, fields[i].name, fields[i].name_len);
		to = put_text(to, fields[i].value, fields[i].value_len);
	}
	return to;
}
