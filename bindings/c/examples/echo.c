/*
 * An echo server and its client over QUIC:
 *
 *	echo serve 127.0.0.1:4433
 *	echo ask 127.0.0.1:4433 "hello, bird"
 */
#include <godwit.h>
#include <stdio.h>
#include <string.h>

static void complain(gw_event *e) {
	fprintf(stderr, "%s: %.*s\n", gw_error_name(e->error.kind), (int)e->length, (const char *)e->data);
}

/* What comes on a stream goes back on it. A stream's window is the same both ways, and what
 * was received is allowed anew only when it has been written: so there is always credit. */
static int serve(gw_port *port, const char *address) {
	const char *options[] = {"address", address, "alpn", "echo", NULL};
	if (gw_listen(port, options) == 0) {
		fprintf(stderr, "%s\n", gw_error_text(port));
		return 1;
	}
	printf("listening on %s\n", gw_address(port));
	fflush(stdout);
	gw_event e;
	while (gw_poll(port, &e, -1) > 0) {
		switch (e.type) {
		case GW_EV_STREAM:
			gw_hold(port, e.of);
			break;
		case GW_EV_DATA:
			gw_write(port, e.of, e.data, e.length, e.flags & GW_FIN);
			break;
		case GW_EV_CREDIT:
			gw_credit(port, e.of, (size_t)e.credit);
			break;
		}
	}
	return 1;
}

static int ask(gw_port *port, const char *address, const char *text) {
	const char *options[] = {"address", address, "alpn", "echo", "insecure", "1", NULL};
	gw_ref conn = gw_connect(port, options);
	gw_ref stream = gw_open(port, conn, 0);
	gw_write(port, stream, text, strlen(text), GW_FIN);
	gw_event e;
	int result = 1;
	while (gw_poll(port, &e, -1) > 0) {
		if (e.type == GW_EV_DATA && e.of == stream) {
			printf("%.*s", (int)e.length, (const char *)e.data);
			if (e.flags & GW_FIN) {
				printf("\n");
				result = 0;
				gw_close(port, conn, GW_CLOSE_STOP, 0, "thanks");
			}
		} else if (e.type == GW_EV_CLOSED && e.of == conn) {
			if (result != 0)
				complain(&e);
			return result;
		}
	}
	return 1;
}

int main(int argc, char **argv) {
	gw_port *port = gw_port_open(NULL);
	if (port == NULL) {
		perror("godwit");
		return 1;
	}
	int result = 2;
	if (argc == 3 && strcmp(argv[1], "serve") == 0)
		result = serve(port, argv[2]);
	else if (argc == 4 && strcmp(argv[1], "ask") == 0)
		result = ask(port, argv[2], argv[3]);
	else
		fprintf(stderr, "usage: echo serve ADDRESS | echo ask ADDRESS TEXT\n");
	gw_port_close(port);
	return result;
}
