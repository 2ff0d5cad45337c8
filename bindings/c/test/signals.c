/* Loading the library leaves the process's signal handlers as they were: signals LIBRARY. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static void nothing(int s) { (void)s; }

static int flags(int signal) {
	struct sigaction a;
	sigaction(signal, NULL, &a);
	return a.sa_flags;
}

int main(int argc, char **argv) {
	struct sigaction a = {.sa_handler = nothing}, pipe;
	if (argc != 2)
		return 2;
	sigaction(SIGPWR, &a, NULL);
	sigaction(SIGUSR2, &a, NULL);
	signal(SIGPIPE, SIG_IGN);
	void *library = dlopen(argv[1], RTLD_NOW);
	if (library == NULL) {
		fprintf(stderr, "%s\n", dlerror());
		return 1;
	}
	void (*restore)(void);
	*(void **)&restore = dlsym(library, "gw_restore_signals");
	restore();
	sigaction(SIGPIPE, NULL, &pipe);
	if ((flags(SIGPWR) & SA_ONSTACK) || (flags(SIGUSR2) & SA_ONSTACK) || pipe.sa_handler != SIG_IGN) {
		fprintf(stderr, "handlers have changed\n");
		return 1;
	}
	return 0;
}
