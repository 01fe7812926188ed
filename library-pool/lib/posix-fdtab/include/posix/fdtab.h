/* SPDX-License-Identifier: BSD-3-Clause */
/* Open files and the table of descriptors. */
#ifndef POSIX_FDTAB_H
#define POSIX_FDTAB_H

#include <vfscore/vnode.h>

#define O_ACCMODE	03
#define O_RDONLY	00
#define O_WRONLY	01
#define O_RDWR		02
#define O_CREAT		0100
#define O_EXCL		0200
#define O_TRUNC		01000
#define O_APPEND	02000
#define O_NONBLOCK	04000
#define O_DIRECTORY	0200000
#define O_NOFOLLOW	0400000
#define O_CLOEXEC	02000000
#define O_PATH		010000000

#define FDTAB_MAX	1024

/* An open file; several descriptors can share one. */
struct file {
	struct vnode *vn;
	uint64_t off;
	int flags;		/* O_* without those of opening */
	unsigned int refs;
	bool watched;		/* by epoll(7), which is told of its end */
};

/* Called before a file that is `watched` goes; set by who watches. */
extern void (*fdtab_watched_ends)(struct file *f);

/* The file of a descriptor, without a new reference; NULL for none. */
struct file *fdtab_get(int fd);

/*
 * The file of a descriptor for a call that may wait: another thread can close
 * the descriptor meanwhile. To be given back.
 */
struct file *fdtab_hold(int fd);
void fdtab_release(struct file *f);
/* The reference goes elsewhere: the call is no longer who gives it back. */
void fdtab_let_go(struct file *f);
/* Gives back what the current call held: a bad pointer has ended it. */
void fdtab_faulted(void);

/*
 * Opens `vn`, whose reference goes over to the file; the lowest descriptor
 * that is free, or -EMFILE, -ENOMEM.
 */
int fdtab_open(struct vnode *vn, int flags);

/* A further descriptor for an open file; or -EMFILE. */
int fdtab_put(struct file *f, bool cloexec);

/* For a new program: closes what is to be closed then. */
void fdtab_exec(void);

#endif /* POSIX_FDTAB_H */
