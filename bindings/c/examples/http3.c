/*
 * An HTTP/3 server: a fixed page at /, and at any other path the request's own fields.
 *
 *	http3 127.0.0.1:4433
 */
#include <godwit.h>
#include <stdio.h>
#include <string.h>

static void answer(gw_port *port, const gw_event *request) {
	char text[4096];
	size_t n = 0;
	for (size_t i = 0; i < request->field_count && n < sizeof text - 512; i++) {
		const gw_field *f = &request->fields[i];
		n += (size_t)snprintf(text + n, 512, "%.*s: %.*s\n", (int)(f->name_len < 100 ? f->name_len : 100), f->name,
			(int)(f->value_len < 300 ? f->value_len : 300), f->value);
	}
	char length[32];
	snprintf(length, sizeof length, "%zu", n);
	gw_field fields[] = {gw_pair(":status", "200"), gw_pair("content-type", "text/plain"), gw_pair("content-length", length)};
	gw_respond(port, request->of, fields, 3, text, n, GW_FIN);
	gw_stop(port, request->of, 0x100); /* the content, if any, is not wanted */
}

int main(int argc, char **argv) {
	gw_port *port = gw_port_open(NULL);
	if (port == NULL || argc != 2) {
		fprintf(stderr, "usage: http3 ADDRESS\n");
		return 2;
	}
	const char *options[] = {"address", argv[1], "protocol", "h3", NULL};
	gw_ref listener = gw_listen(port, options);
	if (listener == 0) {
		fprintf(stderr, "%s\n", gw_error_text(port));
		return 1;
	}
	static const char page[] = "<!doctype html><title>Godwit</title><p>It flies.\n";
	gw_field fixed[] = {gw_pair(":path", "/"), gw_pair(":status", "200"), gw_pair("content-type", "text/html")};
	gw_route(port, listener, fixed, 3, page, sizeof page - 1);
	printf("listening on https://%s/\n", gw_address(port));
	fflush(stdout);
	gw_event e;
	while (gw_poll(port, &e, -1) > 0)
		if (e.type == GW_EV_REQUEST)
			answer(port, &e);
	return 1;
}
