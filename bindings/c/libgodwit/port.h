/* What the library's C files and its Go code share. */
#ifndef GODWIT_PORT_H
#define GODWIT_PORT_H

#include <pthread.h>
#include <stdatomic.h>

#include "godwit.h"

struct helpers; /* of the functions of the header's third part */

struct gw_port {
	gw_shared *mem;
	size_t size;
	_Atomic int refs; /* the host's, and the engine's */

	int bell[2];      /* the engine's descriptors to be woken by */
	uintptr_t engine; /* the engine's handle */

	int fd[2];          /* readable and writable end, the same for an eventfd; -1 for none */
	_Atomic int rung;   /* something is to be read from fd */
	uint32_t looked;    /* what gw_port_look returned last */
	uint32_t answered;  /* how many replies gw_port_call has told of */
	pthread_mutex_t mu; /* of what follows */
	pthread_cond_t cond;
	void (*wake)(void *context);
	void *context;
	int closed;

	struct helpers *helpers;
};

/* Memory that begins a page, which is what is before what a port shares. */
#define GW__PAGE 4096u
void *gw__block_new(size_t size);
void gw__block_free(void *block);

/* For the engine: there are events; there is a reply; it will not use the port again. */
void gw__wake(gw_port *p);
void gw__replied(gw_port *p);
void gw__release(gw_port *p);

/* Frees what the third part keeps. */
void gw__free_helpers(struct helpers *h);

/* Waits for gw__wake or gw__replied until then, for ever if that is NULL. The lock is
 * held. Returns 0 after a timeout. */
struct timespec;
int gw__await(gw_port *p, const struct timespec *until);
const struct timespec *gw__until(int timeout_ms, struct timespec *room);

/* What the two sides of the shared memory do with a number in it. */
static inline uint32_t gw__load(const uint32_t *w) { return __atomic_load_n(w, __ATOMIC_SEQ_CST); }
static inline void gw__store(uint32_t *w, uint32_t v) { __atomic_store_n(w, v, __ATOMIC_SEQ_CST); }
static inline uint32_t gw__exchange(uint32_t *w, uint32_t v) { return __atomic_exchange_n(w, v, __ATOMIC_SEQ_CST); }

#endif
