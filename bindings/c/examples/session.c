/*
 * A WebTransport session, both ends in one program: the client opens a stream and sends a
 * datagram, the server sends both back and closes the session.
 */
#include <godwit.h>
#include <stdio.h>
#include <string.h>

static gw_ref server_session, client_session, client_stream;
static int datagrams, texts;

static void as_server(gw_port *port, gw_event *e) {
	switch (e->type) {
	case GW_EV_SESSION: {
		size_t n = 0;
		const char *path = gw_field_value(e, ":path", &n);
		printf("a session for %.*s%s\n", (int)n, path, e->flags & GW_SECURE ? "" : ", from another origin");
		server_session = e->of;
		gw_accept(port, e->of, NULL, 0);
		break;
	}
	case GW_EV_DATA:
		gw_write(port, e->of, e->data, e->length, e->flags & GW_FIN);
		break;
	case GW_EV_DATAGRAM:
		gw_datagram(port, e->of, e->data, e->length);
		break;
	}
}

static void as_client(gw_port *port, gw_event *e) {
	switch (e->type) {
	case GW_EV_SESSION_OPEN:
		client_stream = gw_open(port, e->of, 0);
		gw_write(port, client_stream, "over a stream", 13, GW_FIN);
		gw_datagram(port, e->of, "in a datagram", 13);
		break;
	case GW_EV_DATA:
		printf("%.*s\n", (int)e->length, (const char *)e->data);
		texts += (e->flags & GW_FIN) != 0;
		break;
	case GW_EV_DATAGRAM:
		printf("%.*s\n", (int)e->length, (const char *)e->data);
		datagrams++;
		break;
	}
	if (datagrams == 1 && texts == 1) {
		datagrams = 2;
		gw_close(port, server_session, 0, 7, "that was all");
	}
}

int main(void) {
	gw_port *port = gw_port_open(NULL);
	if (port == NULL) {
		perror("godwit");
		return 1;
	}
	const char *listening[] = {"address", "127.0.0.1:0", "protocol", "h3", "webtransport", "1", NULL};
	if (gw_listen(port, listening) == 0) {
		fprintf(stderr, "%s\n", gw_error_text(port));
		return 1;
	}
	const char *connecting[] = {"address", gw_address(port), "protocol", "h3", "webtransport", "1", "insecure", "1", NULL};
	gw_ref client = gw_connect(port, connecting);
	gw_field fields[] = {gw_pair(":authority", "localhost"), gw_pair(":path", "/chat")};
	client_session = gw_session(port, client, fields, 2);
	gw_event e;
	while (gw_poll(port, &e, 10000) > 0) {
		if (e.type == GW_EV_CLOSED && e.of == client_session) {
			printf("closed with code %d: %.*s\n", (int)e.error.code, (int)e.length, (const char *)e.data);
			gw_port_close(port);
			return e.error.code == 7 ? 0 : 1;
		}
		if (e.conn == client)
			as_client(port, &e);
		else
			as_server(port, &e);
	}
	fprintf(stderr, "nothing happened for ten seconds\n");
	return 1;
}
