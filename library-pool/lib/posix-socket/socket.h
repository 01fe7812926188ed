/* SPDX-License-Identifier: BSD-3-Clause */
/* A socket: what has arrived for it, and who is at the other end. */
#ifndef POSIX_SOCKET_SOCKET_H
#define POSIX_SOCKET_SOCKET_H

#include <posix/fdtab.h>
#include <uk/list.h>

#define AF_UNSPEC	0
#define AF_UNIX		1
#define AF_INET		2

#define SOCK_STREAM	1
#define SOCK_DGRAM	2
#define SOCK_SEQPACKET	5
#define SOCK_TYPE_MASK	0xf

#define MSG_PEEK	0x2
#define MSG_CTRUNC	0x8
#define MSG_TRUNC	0x20
#define MSG_DONTWAIT	0x40
#define MSG_WAITALL	0x100
#define MSG_NOSIGNAL	0x4000
#define MSG_CMSG_CLOEXEC 0x40000000

#define ADDRESS_MAX	110	/* struct sockaddr_un */
#define RIGHTS_MAX	253	/* SCM_MAX_FD */
#define QUEUE_MAX	262144	/* bytes that wait in one socket */

/* As a program gives it; a length of 0 is none. */
struct address {
	unsigned int len;
	union {
		uint16_t family;
		struct {
			uint16_t family;
			uint8_t port[2];
			uint8_t host[4];
			uint8_t zero[8];
		} in;
		struct {
			uint16_t family;
			char path[ADDRESS_MAX - 2];
		} un;
		uint8_t bytes[ADDRESS_MAX];
	};
};

/* Open files on their way to another process, as SCM_RIGHTS passes them. */
struct rights {
	unsigned int count;
	struct file *files[RIGHTS_MAX];
};

/* What was sent at once. Streams join and split these. */
struct message {
	UK_TAILQ_ENTRY(struct message) list;
	struct address from;
	struct rights *rights;		/* or NULL */
	size_t len, taken;
	uint8_t data[];
};

struct socket {
	struct vnode v;
	int family, type;
	struct address own;
	struct address remote;	/* that sends of datagrams go to */
	struct vnode *node;	/* in the file system, of AF_UNIX */
	struct file *file;	/* open for it; NULL before and after */
	struct socket *peer;
	bool connected;		/* was, where `peer` is gone */
	bool reads_ended, writes_ended;
	bool listens;
	bool reuse;
	bool reached;		/* see socket_collect() */
	int error;		/* told once, by SO_ERROR */
	unsigned int backlog, nr_waiting;
	size_t queued;
	UK_TAILQ_HEAD(, struct message) messages;
	UK_TAILQ_HEAD(, struct socket) waiting;	/* to be accepted */
	UK_TAILQ_ENTRY(struct socket) accepts;
	UK_TAILQ_ENTRY(struct socket) all;
};

/* A new one with one reference; NULL without memory. */
struct socket *socket_new(int family, int type);
/* The socket of an open file, or NULL. */
struct socket *socket_of(const struct file *f);
/* That of a descriptor, or NULL with -EBADF, -ENOTSOCK. */
struct socket *socket_get(int fd, struct file **file, int *rc);
void socket_join(struct socket *a, struct socket *b);
/* A descriptor for it, to which the reference goes; or an error. */
int socket_open(struct socket *s, int flags);

static inline bool socket_is_stream(const struct socket *s)
{
	return s->type == SOCK_STREAM;
}

/*
 * `flags` are MSG_*; `to` may be NULL. `*rights`, where there are any, go with
 * the first byte, and are NULL then.
 */
ssize_t socket_send(struct socket *s, const void *buf, size_t len, int flags,
		    const struct address *to, struct rights **rights);

/* What came with data. */
struct received {
	struct address from;	/* without length where there is none */
	bool cut;		/* a message was longer */
	struct rights *rights;	/* the receiver's; or NULL */
};

ssize_t socket_receive(struct socket *s, void *buf, size_t len, int flags,
		       struct received *with);
/* Takes the first message out of the queue; NULL where it is empty. */
struct message *socket_unqueue(struct socket *s);
/* Frees a message, and closes the files that nobody took. */
void socket_drop(struct message *m);
void socket_drop_rights(struct rights *rights);
/* Hands over the files that came with a message, or where it stays as well. */
void socket_take_rights(struct message *m, bool stays, struct received *with);
/* Messages with files that are in queues. */
extern unsigned int socket_in_flight;
/* Closes sockets that lie in each other's messages, and nowhere else. */
void socket_collect(void);
/* Lets others run; -EINTR where a signal came. */
int socket_wait(void);

/* From and to the program; 0 or an error. */
int address_take(struct address *a, const void *from, unsigned int len);
void address_give(const struct address *a, void *to, unsigned int *len);
/* The socket of a type that is bound to an address. */
int address_find(const struct address *a, int type, struct socket **found);
int address_bind(struct socket *s, const struct address *a);
/* Gives it a port, where it has none. */
int address_choose(struct socket *s);
void address_release(struct socket *s);

extern UK_TAILQ_HEAD(sockets, struct socket) socket_all;

#endif /* POSIX_SOCKET_SOCKET_H */
