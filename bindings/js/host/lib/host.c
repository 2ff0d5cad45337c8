/*
 * The engine in a process of its own, for C libraries that cannot load Go: the ports'
 * memory is shared with godwit-host, which is beside this library. A socket carries what
 * memory cannot: the bells, that there are events or a reply, and the end of either side.
 *
 * In place of package libgodwit's Go code, and of memory.c, this is linked with the rest.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "port.h"

extern char **environ;

#define PATH_SIZE 4096
#define CLOSE_TIME 1 /* second that closing a port waits for its process, which takes half of it */

/* ---- memory that another process can have ---- */

/* The first words of a block's first page, behind those of port.c. */
struct block {
	char owners[64];
	size_t size;
	int fd;
};

void *gw__block_new(size_t size) {
	int fd = memfd_create("godwit", MFD_CLOEXEC);
	if (fd < 0)
		return NULL;
	struct block *b = ftruncate(fd, (off_t)size) != 0 ? MAP_FAILED : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (b == MAP_FAILED) {
		int err = errno;
		close(fd);
		errno = err;
		return NULL;
	}
	b->size = size;
	b->fd = fd;
	return b;
}

void gw__block_free(void *block) {
	struct block *b = block;
	close(b->fd);
	munmap(b, b->size);
}

/* ---- the process ---- */

/* Puts the path of godwit-host, beside this library, into path. */
static int host_path(char path[PATH_SIZE]) {
	Dl_info info;
	const char *slash;
	if (dladdr((void *)host_path, &info) == 0 || info.dli_fname == NULL || (slash = strrchr(info.dli_fname, '/')) == NULL)
		return ENOENT;
	int n = snprintf(path, PATH_SIZE, "%.*s/godwit-host", (int)(slash - info.dli_fname), info.dli_fname);
	return n < PATH_SIZE ? 0 : ENAMETOOLONG;
}

/* Starts it with descriptors 3 and, if there is one, 4. Returns an errno. */
static int start(pid_t *pid, char *const argv[], int three, int four) {
	char path[PATH_SIZE];
	int err = host_path(path);
	if (err != 0)
		return err;
	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, three, 3);
	if (four >= 0)
		posix_spawn_file_actions_adddup2(&actions, four, 4);
	err = posix_spawn(pid, path, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return err;
}

/* Moves a descriptor out of the way of 3 and 4. Returns -1 for none. */
static int aside(int fd) { return fcntl(fd, F_DUPFD_CLOEXEC, 10); }

static void reap(pid_t pid) {
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* ---- a port's ---- */

struct host {
	gw_port *p;
	pid_t pid;
	int socket;
	pthread_mutex_t mu;
	pthread_cond_t cond;
	int over;
	int refs; /* the port's, and the thread's */
};

static void host_release(struct host *h) {
	pthread_mutex_lock(&h->mu);
	int last = --h->refs == 0;
	pthread_mutex_unlock(&h->mu);
	if (!last)
		return;
	close(h->socket);
	pthread_cond_destroy(&h->cond);
	pthread_mutex_destroy(&h->mu);
	free(h);
}

/* Says that the engine has failed, if it has ended though nobody closed the port. */
static void lost(gw_port *p) {
	static const char text[] = "the engine's process has ended";
	gw_shared *m = p->mem;
	uint32_t open = GW_OPEN;
	if (!__atomic_compare_exchange_n(&m->state, &open, GW_FAILED, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return;
	m->reply_kind = GW_ERR_PORT;
	m->reply_code = 0;
	m->reply_conn = 0;
	m->reply_length = sizeof text - 1;
	memcpy(m->reply_text, text, sizeof text - 1);
	__atomic_fetch_add(&m->reply, 1, __ATOMIC_SEQ_CST);
	gw__replied(p);
	gw__wake(p);
}

/* What the process has to say, up to its end. */
static void *listen_to(void *arg) {
	struct host *h = arg;
	char word;
	for (;;) {
		ssize_t n = recv(h->socket, &word, 1, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		if (word == 'W')
			gw__wake(h->p);
		else
			gw__replied(h->p);
	}
	reap(h->pid);
	lost(h->p);
	gw__release(h->p);
	pthread_mutex_lock(&h->mu);
	h->over = 1;
	pthread_cond_broadcast(&h->cond);
	pthread_mutex_unlock(&h->mu);
	host_release(h);
	return NULL;
}

/* Takes the first message: an errno, and if that is 0 the bells. Returns an errno. */
static int receive_bells(int socket, int bells[2]) {
	char word;
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(2 * sizeof(int))];
	} control;
	struct iovec iov = {&word, 1};
	struct msghdr msg;
	memset(&msg, 0, sizeof msg);
	msg.msg_iov = &iov;
	msg.msg_iovlen = 1;
	msg.msg_control = control.room;
	msg.msg_controllen = sizeof control.room;
	ssize_t n;
	while ((n = recvmsg(socket, &msg, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR)
		;
	struct cmsghdr *c = n == 1 ? CMSG_FIRSTHDR(&msg) : NULL;
	if (c == NULL || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(2 * sizeof(int)))
		return n == 1 && word != 0 ? word : EIO;
	memcpy(bells, CMSG_DATA(c), 2 * sizeof(int));
	return 0;
}

static int run_host(struct host *h, gw_port_options *conf, int theirs) {
	char numbers[4][16];
	uint32_t values[4] = {conf->command_size, conf->event_size, conf->threads, conf->spin};
	char *argv[] = {"godwit-host", "port", numbers[0], numbers[1], numbers[2], numbers[3], NULL};
	for (int i = 0; i < 4; i++)
		snprintf(numbers[i], sizeof numbers[i], "%u", values[i]);
	struct block *b = (struct block *)((char *)h->p->mem - GW__PAGE);
	int memory = aside(b->fd), socket = aside(theirs);
	int err = memory < 0 || socket < 0 ? errno : start(&h->pid, argv, socket, memory);
	if (memory >= 0)
		close(memory);
	if (socket >= 0)
		close(socket);
	return err;
}

int gwgo_open(gw_port *p, gw_port_options *conf, int *bells, uintptr_t *handle) {
	int pair[2];
	struct host *h = calloc(1, sizeof *h);
	if (h == NULL || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
		int err = h == NULL ? ENOMEM : errno;
		free(h);
		return err;
	}
	h->p = p;
	h->socket = pair[0];
	h->refs = 1;
	pthread_mutex_init(&h->mu, NULL);
	pthread_cond_init(&h->cond, NULL);
	int err = run_host(h, conf, pair[1]);
	close(pair[1]);
	if (err == 0) {
		pthread_t thread;
		err = receive_bells(h->socket, bells);
		if (err == 0) {
			h->refs = 2;
			err = pthread_create(&thread, NULL, listen_to, h);
		}
		if (err != 0) {
			h->refs = 1;
			shutdown(h->socket, SHUT_RDWR);
			reap(h->pid);
		} else {
			pthread_detach(thread);
		}
	}
	if (err != 0)
		host_release(h);
	else
		*handle = (uintptr_t)h;
	return err;
}

void gwgo_close(gw_port *p, uintptr_t handle) {
	struct host *h = (struct host *)handle;
	struct timespec until;
	for (int i = 0; i < 2; i++)
		close(p->bell[i]); /* they were sent here, and are the process's as well */
	shutdown(h->socket, SHUT_WR);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += CLOSE_TIME;
	pthread_mutex_lock(&h->mu);
	while (!h->over && pthread_cond_timedwait(&h->cond, &h->mu, &until) == 0)
		;
	pthread_mutex_unlock(&h->mu);
	host_release(h);
}

/* ---- the certificate ---- */

int gwgo_certificate(char *to, size_t size, size_t *length) {
	int ends[2];
	pid_t pid;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return errno;
	char *argv[] = {"godwit-host", "certificate", NULL};
	int out = aside(ends[1]), err = out < 0 ? errno : start(&pid, argv, out, -1);
	close(ends[1]);
	if (out >= 0)
		close(out);
	size_t n = 0;
	while (err == 0) {
		ssize_t got = read(ends[0], to + n, size - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	close(ends[0]);
	if (err != 0)
		return err;
	reap(pid);
	if (n == 0 || n == size)
		return n == 0 ? EIO : ENOBUFS;
	to[n] = 0;
	*length = n;
	return 0;
}
