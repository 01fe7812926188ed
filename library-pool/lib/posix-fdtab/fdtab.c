/* SPDX-License-Identifier: BSD-3-Clause */
/* The table, and the calls that concern descriptors alone. */
#include <stdlib.h>
#include <posix/fdtab.h>
#include <posix/tty.h>
#include <uk/config.h>
#include <uk/ctors.h>
#include <uk/syscall.h>
#if CONFIG_LIBPOSIX_PROCESS_CHILDREN
#include <posix/state.h>
#endif

#define F_DUPFD		0
#define F_GETFD		1
#define F_SETFD		2
#define F_GETFL		3
#define F_SETFL		4
#define F_GETLK		5
#define F_SETLK		6
#define F_SETLKW	7
#define F_DUPFD_CLOEXEC	1030
#define F_UNLCK		2
#define FD_CLOEXEC	1
#define HELD_MAX	4	/* files that one call works on */

struct flock {
	short l_type;
	short l_whence;
	off_t l_start;
	off_t l_len;
	pid_t l_pid;
};

static struct {
	struct file *file;
	bool cloexec;
} table[FDTAB_MAX];

#if CONFIG_LIBPOSIX_PROCESS_CHILDREN
static void table_forked(void)
{
	int fd;

	for (fd = 0; fd < FDTAB_MAX; fd++)
		if (table[fd].file)
			table[fd].file->refs++;
}

static void table_ended(void)
{
	int fd;

	for (fd = 0; fd < FDTAB_MAX; fd++)
		if (table[fd].file)
			uk_syscall_r_static(SYS_close, fd);
}
POSIX_STATE(table, table_forked, table_ended);
#endif

void (*fdtab_watched_ends)(struct file *f);

struct file *fdtab_get(int fd)
{
	return fd >= 0 && fd < FDTAB_MAX ? table[fd].file : NULL;
}

void fdtab_release(struct file *f)
{
	fdtab_let_go(f);
	if (--f->refs)
		return;
	if (f->watched)
		fdtab_watched_ends(f);
	if (f->vn->ops->close)
		f->vn->ops->close(f->vn, f->flags);
	vnode_unref(f->vn);
	free(f);
}

/*
 * What the current thread's call holds: where a bad pointer ends the call, it
 * is given back for it.
 */
static __thread struct file *held[HELD_MAX];

struct file *fdtab_hold(int fd)
{
	struct file *f = fdtab_get(fd);
	size_t i;

	if (!f)
		return NULL;
	f->refs++;
	for (i = 0; i < HELD_MAX && held[i]; i++)
		;
	if (i < HELD_MAX)
		held[i] = f;
	return f;
}

void fdtab_let_go(struct file *f)
{
	size_t i;

	for (i = 0; i < HELD_MAX && held[i] != f; i++)
		;
	if (i < HELD_MAX)
		held[i] = NULL;
}

void fdtab_faulted(void)
{
	size_t i;

	for (i = 0; i < HELD_MAX; i++)
		if (held[i])
			fdtab_release(held[i]);
}

/* Puts `f` at the lowest free descriptor from `min` on. */
static int place(struct file *f, int min, bool cloexec)
{
	int fd;

	for (fd = min; fd < FDTAB_MAX; fd++) {
		if (table[fd].file)
			continue;
		table[fd].file = f;
		table[fd].cloexec = cloexec;
		return fd;
	}
	return -EMFILE;
}

int fdtab_open(struct vnode *vn, int flags)
{
	struct file *f = malloc(sizeof(*f));
	int fd;

	if (!f) {
		vnode_unref(vn);
		return -ENOMEM;
	}
	f->vn = vn;
	f->off = 0;
	f->flags = flags & ~(O_CREAT | O_EXCL | O_TRUNC | O_CLOEXEC);
	f->refs = 1;
	f->watched = false;
	fd = place(f, 0, flags & O_CLOEXEC);
	if (fd < 0) {
		vnode_unref(vn);
		free(f);
		return fd;
	}
	if (vn->ops->open)
		vn->ops->open(vn, f->flags);
	return fd;
}

int fdtab_put(struct file *f, bool cloexec)
{
	int fd = place(f, 0, cloexec);

	if (fd >= 0)
		f->refs++;
	return fd;
}

void fdtab_exec(void)
{
	int fd;

	for (fd = 0; fd < FDTAB_MAX; fd++)
		if (table[fd].file && table[fd].cloexec)
			uk_syscall_r_static(SYS_close, fd);
}

UK_SYSCALL_R_DEFINE(int, close, int, fd)
{
	struct file *f = fdtab_get(fd);

	if (!f)
		return -EBADF;
	table[fd].file = NULL;
	fdtab_release(f);
	return 0;
}

static int duplicate(int fd, int min, bool cloexec)
{
	struct file *f = fdtab_get(fd);
	int copy;

	if (!f)
		return -EBADF;
	if (min < 0 || min >= FDTAB_MAX)
		return -EINVAL;
	copy = place(f, min, cloexec);
	if (copy >= 0)
		f->refs++;
	return copy;
}

UK_SYSCALL_R_DEFINE(int, dup, int, fd)
{
	return duplicate(fd, 0, false);
}

static int duplicate_to(int fd, int to, bool cloexec)
{
	struct file *f = fdtab_get(fd);

	if (!f || to < 0 || to >= FDTAB_MAX)
		return -EBADF;
	f->refs++;
	uk_syscall_r_static(SYS_close, to);
	table[to].file = f;
	table[to].cloexec = cloexec;
	return to;
}

UK_SYSCALL_R_DEFINE(int, dup2, int, fd, int, to)
{
	if (fd == to)
		return fdtab_get(fd) ? to : -EBADF;
	return duplicate_to(fd, to, false);
}

UK_SYSCALL_R_DEFINE(int, dup3, int, fd, int, to, int, flags)
{
	if (fd == to || (flags & ~O_CLOEXEC))
		return -EINVAL;
	return duplicate_to(fd, to, flags & O_CLOEXEC);
}

UK_SYSCALL_R_DEFINE(int, fcntl, int, fd, int, cmd, long, arg)
{
	struct file *f = fdtab_get(fd);
	const int settable = O_APPEND | O_NONBLOCK;

	if (!f)
		return -EBADF;
	switch (cmd) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		return duplicate(fd, (int)arg, cmd == F_DUPFD_CLOEXEC);
	case F_GETFD:
		return table[fd].cloexec ? FD_CLOEXEC : 0;
	case F_SETFD:
		table[fd].cloexec = arg & FD_CLOEXEC;
		return 0;
	case F_GETFL:
		return f->flags;
	case F_SETFL:
		f->flags = (f->flags & ~settable) | ((int)arg & settable);
		return 0;
	case F_GETLK:
		/* There is no other process that could hold one. */
		((struct flock *)arg)->l_type = F_UNLCK;
		return 0;
	case F_SETLK:
	case F_SETLKW:
		return 0;
	default:
		return -EINVAL;
	}
}

static int fdtab_init(struct uk_init_ctx *ictx __unused)
{
	int fd = fdtab_open(vnode_ref(posix_tty_vnode()), O_RDWR);

	if (fd < 0)
		return fd;
	duplicate(fd, 0, false);
	duplicate(fd, 0, false);
	return 0;
}
UK_INIT_ENTRY(fdtab_init, 3, 5);
