//go:build cgo && unix

/* The memory of ports whose engine is in the same process. */
#include <errno.h>
#include <stdlib.h>

#include "port.h"

void *gw__block_new(size_t size) {
	void *block = NULL;
	errno = posix_memalign(&block, GW__PAGE, size);
	return errno == 0 ? block : NULL;
}

void gw__block_free(void *block) { free(block); }
