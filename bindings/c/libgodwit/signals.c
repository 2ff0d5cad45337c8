//go:build cgo && unix

/*
 * Starting Go changes the process's signal handlers while the library is loaded: it adds
 * SA_ONSTACK to all that are there, as its own goroutines have small stacks, and handles
 * some signals itself. But threads of the host never run goroutines, and hosts may look at
 * the stack that their handlers run on: Bun's collector stops threads by SIGPWR, and would
 * wait for ever for one whose handler is on its alternate stack. Likewise SIGPIPE: a host
 * that ignores it must go on to.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stddef.h>

#include "port.h"

#ifndef NSIG
#define NSIG 65
#endif

static struct sigaction before[NSIG];
static int noted;

/* Runs before Go's initialization, which has no priority, so that comes later. */
__attribute__((constructor(101))) static void note_signals(void) {
	for (int i = 1; i < NSIG; i++)
		sigaction(i, NULL, &before[i]);
	noted = 1;
}

static void *handler(const struct sigaction *a) {
	return a->sa_flags & SA_SIGINFO ? (void *)a->sa_sigaction : (void *)a->sa_handler;
}

static void restore(void) {
	for (int i = 1; noted && i < NSIG; i++) {
		struct sigaction now;
		if (i == SIGKILL || i == SIGSTOP || sigaction(i, NULL, &now) != 0)
			continue;
		int same = handler(&now) == handler(&before[i]);
		int own = handler(&now) != (void *)SIG_DFL && handler(&now) != (void *)SIG_IGN;
		int marked = (now.sa_flags & SA_ONSTACK) && !(before[i].sa_flags & SA_ONSTACK);
		if ((same && own && marked) || (!same && i == SIGPIPE))
			sigaction(i, &before[i], NULL);
	}
}

void gw_restore_signals(void) {
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, restore);
}
