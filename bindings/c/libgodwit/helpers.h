/* What the pleasant functions keep of a port. */
#ifndef GODWIT_HELPERS_H
#define GODWIT_HELPERS_H

#include "port.h"

/* What is known of a stream, request or session. */
struct stream {
	gw_ref ref; /* 0: the place is free */
	uint64_t credit;
	uint8_t hold;     /* its data is allowed anew by gw_credit alone */
	uint8_t finished; /* nothing can be written any more */
};

/* A table of streams with open addressing. */
struct table {
	struct stream *places;
	size_t size, used; /* used: places that are not free */
};

struct helpers {
	uint32_t head;  /* of the commands */
	uint32_t tail;  /* of the events */
	uint32_t known; /* up to where there are events */
	uint32_t last;  /* handle that was given */
	struct table streams;
	gw_ref handled;  /* whose data is to be allowed anew, 0 for none */
	uint64_t allow;  /* how many bytes */
	gw_ref ended;    /* to be forgotten by the next gw_poll, 0 for none */
	gw_field *fields;
	size_t field_room;
	char address[512];
	char text[512]; /* of the last error */
};

/* The port's, made when first asked for; NULL without memory. */
struct helpers *gw__helpers(gw_port *p);

struct stream *gw__find(struct helpers *h, gw_ref ref);
struct stream *gw__add(struct helpers *h, gw_ref ref);
void gw__remove(struct helpers *h, gw_ref ref);

/* Returns room for the payload of a command, NULL if it is too large for the ring; then
 * gw__end makes it a command. */
unsigned char *gw__begin(gw_port *p, struct helpers *h, size_t length);
void gw__end(gw_port *p, struct helpers *h, uint8_t type, uint8_t flags, uint16_t aux, gw_ref ref, size_t length);

/* Notes what is wrong, and returns -1. */
int gw__fail(struct helpers *h, const char *what);

/* What fields take, and writes them. */
size_t gw__fields_size(const gw_field *fields, size_t count);
unsigned char *gw__put_fields(unsigned char *to, const gw_field *fields, size_t count);

static inline uint32_t gw__conn(gw_ref r) { return (uint32_t)(r >> 32); }
static inline uint32_t gw__id(gw_ref r) { return (uint32_t)r; }
static inline gw_ref gw__ref(uint32_t conn, uint32_t id) { return (gw_ref)conn << 32 | id; }

#endif
