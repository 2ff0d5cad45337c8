//go:build cgo && unix

#include <errno.h>
#include <pthread.h>

#include "godwit.h"

/* Exported by certificate.go. */
extern int gwgo_certificate(char *to, size_t size, size_t *length);

struct certificate {
	char *to;
	size_t size, length;
	int result;
};

static void *enter_certificate(void *arg) {
	struct certificate *c = arg;
	c->result = gwgo_certificate(c->to, c->size, &c->length);
	return NULL;
}

size_t gw_development_certificate(char *pem, size_t size) {
	struct certificate c = {.to = pem, .size = size};
	pthread_t thread;
	gw_restore_signals();
	int err = pthread_create(&thread, NULL, enter_certificate, &c);
	if (err == 0)
		err = pthread_join(thread, NULL);
	if (err == 0)
		err = c.result;
	if (err != 0) {
		errno = err;
		return 0;
	}
	return c.length;
}
