//go:build cgo && unix

#if defined(__linux__)
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/eventfd.h>
#endif

#include "port.h"

/* Exported by library.go. */
extern int gwgo_open(gw_port *p, gw_port_options *conf, int *bells, uintptr_t *handle);
extern void gwgo_close(gw_port *p, uintptr_t handle);

/* ---- the memory: a page for its owners, then what is shared ---- */

struct owners {
	_Atomic int refs;
};

static struct owners *owners_of(gw_shared *s) { return (struct owners *)((char *)s - GW__PAGE); }

static gw_shared *shared_new(size_t size) {
	void *block = gw__block_new(GW__PAGE + size);
	if (block == NULL)
		return NULL;
	memset((char *)block + GW__PAGE, 0, size);
	atomic_init(&((struct owners *)block)->refs, 1);
	return (gw_shared *)((char *)block + GW__PAGE);
}

void gw_shared_retain(gw_shared *s) { atomic_fetch_add(&owners_of(s)->refs, 1); }

void gw_shared_release(gw_shared *s) {
	if (s != NULL && atomic_fetch_sub(&owners_of(s)->refs, 1) == 1)
		gw__block_free(owners_of(s));
}

/* ---- the descriptor ---- */

static int open_fd(gw_port *p) {
#ifdef __linux__
	p->fd[0] = p->fd[1] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return p->fd[0] < 0 ? -1 : 0;
#else
	if (pipe(p->fd) != 0)
		return -1;
	for (int i = 0; i < 2; i++) {
		fcntl(p->fd[i], F_SETFL, O_NONBLOCK);
		fcntl(p->fd[i], F_SETFD, FD_CLOEXEC);
	}
	return 0;
#endif
}

static void ring(int fd) {
	uint64_t one = 1;
	while (write(fd, &one, sizeof one) < 0 && errno == EINTR)
		;
}

static void silence(int fd) {
	uint64_t count;
	while (read(fd, &count, sizeof count) < 0 && errno == EINTR)
		;
}

/* ---- the life of a port ---- */

static void port_free(gw_port *p) {
	if (atomic_fetch_sub(&p->refs, 1) != 1)
		return;
	if (p->fd[0] >= 0)
		close(p->fd[0]);
	if (p->fd[1] >= 0 && p->fd[1] != p->fd[0])
		close(p->fd[1]);
	pthread_cond_destroy(&p->cond);
	pthread_mutex_destroy(&p->mu);
	gw__free_helpers(p->helpers);
	gw_shared_release(p->mem);
	free(p);
}

void gw__release(gw_port *p) { port_free(p); }

static int ring_valid(uint32_t n) { return n >= (64u << 10) && n <= (1u << 30) && (n & (n - 1)) == 0; }

/* A call of the engine's, on a thread that is not the host's. */
struct entry {
	gw_port *p;
	gw_port_options conf;
	int result;
};

static void *enter_open(void *arg) {
	struct entry *e = arg;
	e->result = gwgo_open(e->p, &e->conf, e->p->bell, &e->p->engine);
	return NULL;
}

static void *enter_close(void *arg) {
	struct entry *e = arg;
	gwgo_close(e->p, e->p->engine);
	return NULL;
}

static int enter(void *(*f)(void *), struct entry *e) {
	pthread_t thread;
	int err = pthread_create(&thread, NULL, f, e);
	if (err == 0)
		err = pthread_join(thread, NULL);
	return err;
}

static gw_port *port_new(const gw_port_options *conf) {
	gw_port *p = calloc(1, sizeof *p);
	if (p == NULL)
		return NULL;
	p->fd[0] = p->fd[1] = -1;
	atomic_init(&p->refs, 1);
	atomic_init(&p->rung, 0);
	p->wake = conf->wake;
	p->context = conf->context;
	pthread_mutex_init(&p->mu, NULL);
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
#ifndef __APPLE__
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
#endif
	pthread_cond_init(&p->cond, &attr);
	pthread_condattr_destroy(&attr);
	p->size = GW__PAGE + (size_t)conf->command_size + conf->event_size;
	p->mem = shared_new(p->size);
	if (p->mem == NULL || (!conf->no_fd && open_fd(p) != 0)) {
		int err = errno;
		port_free(p);
		errno = err;
		return NULL;
	}
	return p;
}

gw_port *gw_port_open(const gw_port_options *options) {
	struct entry e;
	memset(&e, 0, sizeof e);
	if (options != NULL)
		memcpy(&e.conf, options, options->size < sizeof e.conf ? options->size : sizeof e.conf);
	if (e.conf.command_size == 0)
		e.conf.command_size = 256u << 10;
	if (e.conf.event_size == 0)
		e.conf.event_size = 256u << 10;
	if (!ring_valid(e.conf.command_size) || !ring_valid(e.conf.event_size)) {
		errno = EINVAL;
		return NULL;
	}
	gw_restore_signals();
	e.p = port_new(&e.conf);
	if (e.p == NULL)
		return NULL;
	atomic_fetch_add(&e.p->refs, 1);
	int err = enter(enter_open, &e);
	if (err == 0)
		err = e.result;
	if (err != 0) {
		port_free(e.p);
		port_free(e.p);
		errno = err;
		return NULL;
	}
	return e.p;
}

void gw_port_close(gw_port *p) {
	if (p == NULL)
		return;
	pthread_mutex_lock(&p->mu);
	p->closed = 1;
	pthread_mutex_unlock(&p->mu);
	struct entry e = {.p = p};
	enter(enter_close, &e); /* without a thread, the engine keeps it: nothing else is safe */
	port_free(p);
}

gw_shared *gw_port_memory(gw_port *p, size_t *size) {
	if (size != NULL)
		*size = p->size;
	return p->mem;
}

/* ---- from the engine ---- */

void gw__wake(gw_port *p) {
	pthread_mutex_lock(&p->mu);
	if (!p->closed) {
		pthread_cond_broadcast(&p->cond);
		if (p->fd[1] >= 0) {
			atomic_store(&p->rung, 1);
			ring(p->fd[1]);
		}
		if (p->wake != NULL)
			p->wake(p->context);
	}
	pthread_mutex_unlock(&p->mu);
}

void gw__replied(gw_port *p) {
	pthread_mutex_lock(&p->mu);
	pthread_cond_broadcast(&p->cond);
	pthread_mutex_unlock(&p->mu);
}

/* ---- to the engine ---- */

/* Wakes the engine if it sleeps. */
static void kick(gw_port *p) {
	uint32_t how;
	if (gw__load(&p->mem->asleep) != 0 && (how = gw__exchange(&p->mem->asleep, 0)) != 0 && how <= 2)
		ring(p->bell[how - 1]);
}

void gw_port_commit(gw_port *p, uint32_t head) {
	gw__store(&p->mem->command_head, head);
	kick(p);
}

uint32_t gw_port_look(gw_port *p) {
	gw__store(&p->mem->woken, 0);
	if (atomic_load(&p->rung)) {
		pthread_mutex_lock(&p->mu); /* so that what rung tells of is there to be read */
		atomic_store(&p->rung, 0);
		silence(p->fd[0]);
		pthread_mutex_unlock(&p->mu);
	}
	return p->looked = gw__load(&p->mem->event_head);
}

void gw_port_consumed(gw_port *p, uint32_t tail) {
	gw_shared *m = p->mem;
	gw__store(&m->event_tail, tail);
	uint32_t one = 1;
	if (gw__load(&m->starved) == 1 && m->event_size - (gw__load(&m->event_head) - tail) >= m->event_size / 2 &&
	    __atomic_compare_exchange_n(&m->starved, &one, 0, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		kick(p);
}

int gw_port_fd(gw_port *p) { return p->fd[0]; }

/* ---- waiting ---- */

const struct timespec *gw__until(int timeout_ms, struct timespec *t) {
	if (timeout_ms < 0)
		return NULL;
#ifdef __APPLE__
	clock_gettime(CLOCK_REALTIME, t);
#else
	clock_gettime(CLOCK_MONOTONIC, t);
#endif
	t->tv_sec += timeout_ms / 1000;
	t->tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	if (t->tv_nsec >= 1000000000) {
		t->tv_nsec -= 1000000000;
		t->tv_sec++;
	}
	return t;
}

int gw__await(gw_port *p, const struct timespec *until) {
	if (until == NULL)
		return pthread_cond_wait(&p->cond, &p->mu) == 0;
	return pthread_cond_timedwait(&p->cond, &p->mu, until) == 0;
}

int gw_port_call(gw_port *p, uint32_t head, int timeout_ms) {
	gw_shared *m = p->mem;
	uint32_t before = p->answered; /* one that has come since then, between two calls, is told of by this one */
	struct timespec room;
	const struct timespec *until = gw__until(timeout_ms, &room);
	gw_port_commit(p, head);
	pthread_mutex_lock(&p->mu);
	while (gw__load(&m->reply) == before && gw__load(&m->state) == GW_OPEN && gw__await(p, until))
		;
	pthread_mutex_unlock(&p->mu);
	p->answered = gw__load(&m->reply);
	return p->answered != before ? (int)m->reply_kind : GW_ERR_PORT;
}

int gw_port_wait(gw_port *p, int timeout_ms) {
	gw_shared *m = p->mem;
	struct timespec room;
	const struct timespec *until = gw__until(timeout_ms, &room);
	int there;
	pthread_mutex_lock(&p->mu);
	for (;;) {
		/* It may have been woken for what has been looked at since. */
		gw__store(&m->woken, 0);
		there = gw__load(&m->event_head) != p->looked;
		if (there || gw__load(&m->state) != GW_OPEN || !gw__await(p, until))
			break;
	}
	pthread_mutex_unlock(&p->mu);
	if (there || gw__load(&m->event_head) != p->looked)
		return 1;
	return gw__load(&m->state) == GW_OPEN ? 0 : -1;
}
