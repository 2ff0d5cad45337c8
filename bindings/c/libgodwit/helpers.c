//go:build cgo && unix

#include <stdlib.h>

#include "port.h"

const char *gw_version(void) { return "0.1.0"; }

void gw__free_helpers(struct helpers *h) { free(h); }
