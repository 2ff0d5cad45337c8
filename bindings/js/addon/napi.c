//go:build cgo && unix && napi

/*
 * Ports for JavaScript: Node-API functions over part 2 of godwit.h. Everything else, the
 * records of the rings, is JavaScript's. A JavaScript thread never runs Go here: it reads
 * and writes memory, and wakes the engine.
 */
#define NAPI_VERSION 8
#include <node_api.h>
#include <stdlib.h>
#include <string.h>

#include "godwit.h"

/* A port of one environment, which is a main thread or a worker. */
struct port {
	gw_port *engine; /* NULL when it is closed */
	napi_env env;
	napi_threadsafe_function tsfn; /* calls deliver on the JavaScript thread */
	napi_ref callback;             /* what deliver calls */
};

/* Throws, and returns nothing. */
static napi_value fail(napi_env env, const char *code, const char *text) {
	napi_throw_error(env, code, text);
	return NULL;
}

/* ---- from the engine ---- */

/* Called on a thread of the engine's, once until JavaScript has looked. */
static void wake(void *context) {
	struct port *p = context;
	napi_call_threadsafe_function(p->tsfn, NULL, napi_tsfn_nonblocking);
}

/* Called on the JavaScript thread. What the callback throws is an uncaught exception, and
 * not the end of the port. */
static void deliver(napi_env env, napi_value unused, void *context, void *data) {
	struct port *p = context;
	napi_value callback, undefined;
	(void)unused, (void)data;
	if (env == NULL || p->engine == NULL)
		return;
	if (napi_get_reference_value(env, p->callback, &callback) != napi_ok || callback == NULL)
		return;
	napi_get_undefined(env, &undefined);
	if (napi_call_function(env, undefined, callback, 0, NULL, NULL) == napi_pending_exception) {
		napi_value error;
		napi_get_and_clear_last_exception(env, &error);
		napi_fatal_exception(env, error);
	}
}

/* ---- the life of a port ---- */

static void shut(struct port *p) {
	gw_port *engine = p->engine;
	if (engine == NULL)
		return;
	p->engine = NULL;
	gw_port_close(engine); /* wake is not called any more */
	napi_release_threadsafe_function(p->tsfn, napi_tsfn_abort);
}

/* The environment ends: a worker is terminated, or the process exits. */
static void env_ends(void *data) { shut(data); }

/* The JavaScript object is gone, or the environment. */
static void finalize_port(napi_env env, void *data, void *hint) {
	struct port *p = data;
	(void)hint;
	napi_remove_env_cleanup_hook(env, env_ends, p);
	shut(p);
	napi_delete_reference(env, p->callback);
	free(p);
}

static void finalize_memory(napi_env env, void *data, void *hint) {
	(void)env, (void)hint;
	gw_shared_release(data);
}

/* Makes an ArrayBuffer of the port's memory. Where external ones are refused, as by
 * Electron, there is no port. */
static napi_status wrap_memory(napi_env env, struct port *p, napi_value *buffer) {
	size_t size;
	gw_shared *memory = gw_port_memory(p->engine, &size);
	gw_shared_retain(memory);
	napi_status status = napi_create_external_arraybuffer(env, memory, size, finalize_memory, NULL, buffer);
	if (status != napi_ok)
		gw_shared_release(memory);
	return status;
}

static uint32_t option(napi_env env, napi_value object, const char *name) {
	napi_value v;
	uint32_t n = 0;
	if (napi_get_named_property(env, object, name, &v) == napi_ok)
		napi_get_value_uint32(env, v, &n); /* undefined leaves it 0 */
	return n;
}

/* open({commands, events, threads, spin}, callback) returns {port, memory}. */
static napi_value js_open(napi_env env, napi_callback_info info) {
	size_t argc = 2;
	napi_value argv[2], name, port, memory, result;
	napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
	struct port *p = calloc(1, sizeof *p);
	if (p == NULL)
		return fail(env, "ENOMEM", "out of memory");
	p->env = env;
	napi_create_string_utf8(env, "godwit", NAPI_AUTO_LENGTH, &name);
	if (argc < 2 || napi_create_reference(env, argv[1], 1, &p->callback) != napi_ok ||
	    napi_create_threadsafe_function(env, NULL, NULL, name, 0, 1, NULL, NULL, p, deliver, &p->tsfn) != napi_ok) {
		free(p);
		return fail(env, "EINVAL", "open takes options and a function");
	}
	napi_unref_threadsafe_function(env, p->tsfn);
	gw_port_options options = {
		.size = sizeof options,
		.command_size = option(env, argv[0], "commands"), .event_size = option(env, argv[0], "events"),
		.threads = option(env, argv[0], "threads"), .spin = option(env, argv[0], "spin"),
		.no_fd = 1, .wake = wake, .context = p,
	};
	p->engine = gw_port_open(&options);
	if (p->engine == NULL || wrap_memory(env, p, &memory) != napi_ok) {
		if (p->engine != NULL)
			gw_port_close(p->engine);
		napi_release_threadsafe_function(p->tsfn, napi_tsfn_abort);
		napi_delete_reference(env, p->callback);
		free(p);
		return fail(env, "ERR_GODWIT_PORT", "the engine cannot be opened, or the runtime does not share memory");
	}
	napi_add_env_cleanup_hook(env, env_ends, p);
	napi_create_external(env, p, finalize_port, NULL, &port);
	napi_create_object(env, &result);
	napi_set_named_property(env, result, "port", port);
	napi_set_named_property(env, result, "memory", memory);
	return result;
}

/* The port and a number of a call, or NULL. A closed port is none. */
static struct port *arguments(napi_env env, napi_callback_info info, uint32_t *a, uint32_t *b) {
	size_t argc = 3;
	napi_value argv[3];
	void *p = NULL;
	napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
	if (argc < 1 || napi_get_value_external(env, argv[0], &p) != napi_ok || ((struct port *)p)->engine == NULL)
		return NULL;
	if (a != NULL && argc > 1)
		napi_get_value_uint32(env, argv[1], a);
	if (b != NULL && argc > 2)
		napi_get_value_uint32(env, argv[2], b);
	return p;
}

static napi_value number(napi_env env, uint32_t n) {
	napi_value v;
	napi_create_uint32(env, n, &v);
	return v;
}

/* commit(port, head) */
static napi_value js_commit(napi_env env, napi_callback_info info) {
	uint32_t head = 0;
	struct port *p = arguments(env, info, &head, NULL);
	if (p != NULL)
		gw_port_commit(p->engine, head);
	return NULL;
}

/* call(port, head, milliseconds) returns the kind of the reply. */
static napi_value js_call(napi_env env, napi_callback_info info) {
	uint32_t head = 0, ms = 0;
	struct port *p = arguments(env, info, &head, &ms);
	return number(env, p == NULL ? GW_ERR_PORT : (uint32_t)gw_port_call(p->engine, head, (int)ms));
}

/* look(port) returns up to where there are events. */
static napi_value js_look(napi_env env, napi_callback_info info) {
	struct port *p = arguments(env, info, NULL, NULL);
	return p == NULL ? NULL : number(env, gw_port_look(p->engine));
}

/* consumed(port, tail) */
static napi_value js_consumed(napi_env env, napi_callback_info info) {
	uint32_t tail = 0;
	struct port *p = arguments(env, info, &tail, NULL);
	if (p != NULL)
		gw_port_consumed(p->engine, tail);
	return NULL;
}

/* hold(port, on): whether the port keeps the process alive. */
static napi_value js_hold(napi_env env, napi_callback_info info) {
	uint32_t on = 0;
	struct port *p = arguments(env, info, &on, NULL);
	if (p != NULL && on)
		napi_ref_threadsafe_function(env, p->tsfn);
	else if (p != NULL)
		napi_unref_threadsafe_function(env, p->tsfn);
	return NULL;
}

/* close(port): what has been committed is carried out; it waits half a second at most. */
static napi_value js_close(napi_env env, napi_callback_info info) {
	struct port *p = arguments(env, info, NULL, NULL);
	if (p != NULL)
		shut(p);
	return NULL;
}

/* developmentCertificate() returns a new certificate and its key, as PEM. */
static napi_value js_development_certificate(napi_env env, napi_callback_info info) {
	char pem[4096];
	size_t length = gw_development_certificate(pem, sizeof pem);
	napi_value text;
	(void)info;
	if (length == 0)
		return fail(env, "ERR_GODWIT_CERTIFICATE", "a certificate cannot be made");
	napi_create_string_utf8(env, pem, length, &text);
	return text;
}

NAPI_MODULE_INIT() {
	static const struct {
		const char *name;
		napi_callback call;
	} functions[] = {
		{"open", js_open}, {"commit", js_commit}, {"call", js_call}, {"look", js_look},
		{"consumed", js_consumed}, {"hold", js_hold}, {"close", js_close},
		{"developmentCertificate", js_development_certificate},
	};
	gw_restore_signals();
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
		napi_value f;
		napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].call, NULL, &f);
		napi_set_named_property(env, exports, functions[i].name, f);
	}
	napi_value version;
	napi_create_string_utf8(env, gw_version(), NAPI_AUTO_LENGTH, &version);
	napi_set_named_property(env, exports, "version", version);
	return exports;
}
