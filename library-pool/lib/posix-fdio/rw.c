/* SPDX-License-Identifier: BSD-3-Clause */
/* Contents: reading, writing, places and lengths. */
#include <stdlib.h>
#include <posix/fdtab.h>
#include <uk/syscall.h>
#include <vfscore/path.h>

#define SEEK_SET	0
#define SEEK_CUR	1
#define SEEK_END	2
#define SEEK_DATA	3
#define SEEK_HOLE	4
#define IOV_MAX		1024
#define FIONCLEX	0x5450
#define FIOCLEX		0x5451
#define FIONBIO		0x5421
#define F_SETFD		2
#define COPY_CHUNK	65536

static ssize_t read_at(struct file *f, void *buf, size_t len, uint64_t *off)
{
	ssize_t n;

	if ((f->flags & O_ACCMODE) == O_WRONLY || (f->flags & O_PATH))
		return -EBADF;
	if (S_ISDIR(f->vn->mode))
		return -EISDIR;
	if (!f->vn->ops->read)
		return -EINVAL;
	n = f->vn->ops->read(f->vn, buf, len, *off, f->flags);
	if (n > 0)
		*off += (uint64_t)n;
	return n;
}

static ssize_t write_at(struct file *f, const void *buf, size_t len,
			uint64_t *off)
{
	ssize_t n;

	if ((f->flags & O_ACCMODE) == O_RDONLY || (f->flags & O_PATH))
		return -EBADF;
	if (!f->vn->ops->write)
		return -EINVAL;
	if (f->flags & O_APPEND)
		*off = f->vn->size;
	n = f->vn->ops->write(f->vn, buf, len, *off, f->flags);
	if (n > 0)
		*off += (uint64_t)n;
	return n;
}

typedef ssize_t (*transfer_t)(struct file *f, void *buf, size_t len,
			      uint64_t *off);

static ssize_t write_part(struct file *f, void *buf, size_t len, uint64_t *off)
{
	return write_at(f, buf, len, off);
}

/* Piece by piece, until one is not done whole. */
static ssize_t vector(int fd, const struct iovec *iov, int count,
		      uint64_t *off, transfer_t transfer)
{
	struct file *f;
	ssize_t sum = 0, n = 0;
	int i;

	if (count < 0 || count > IOV_MAX)
		return -EINVAL;
	f = fdtab_hold(fd);
	if (!f)
		return -EBADF;
	for (i = 0; i < count; i++) {
		if (!iov[i].iov_len)
			continue;
		n = transfer(f, iov[i].iov_base, iov[i].iov_len,
			     off ? off : &f->off);
		if (n < 0)
			break;
		sum += n;
		if ((size_t)n < iov[i].iov_len)
			break;
	}
	fdtab_release(f);
	return n < 0 && !sum ? n : sum;
}

UK_SYSCALL_R_DEFINE(ssize_t, read, int, fd, void *, buf, size_t, count)
{
	struct file *f = fdtab_hold(fd);
	ssize_t n;

	if (!f)
		return -EBADF;
	n = read_at(f, buf, count, &f->off);
	fdtab_release(f);
	return n;
}

UK_SYSCALL_R_DEFINE(ssize_t, write, int, fd, const void *, buf, size_t, count)
{
	struct file *f = fdtab_hold(fd);
	ssize_t n;

	if (!f)
		return -EBADF;
	n = write_at(f, buf, count, &f->off);
	fdtab_release(f);
	return n;
}

UK_SYSCALL_R_DEFINE(ssize_t, readv, int, fd, const struct iovec *, iov, int,
		    iovcnt)
{
	return vector(fd, iov, iovcnt, NULL, read_at);
}

UK_SYSCALL_R_DEFINE(ssize_t, writev, int, fd, const struct iovec *, iov, int,
		    iovcnt)
{
	return vector(fd, iov, iovcnt, NULL, write_part);
}

/* What has places: not pipes and terminals. */
static struct file *seekable(int fd, int *rc)
{
	struct file *f = fdtab_get(fd);

	*rc = !f ? -EBADF : S_ISREG(f->vn->mode) || S_ISDIR(f->vn->mode) ||
			    f->vn->rdev >> 8 == 1 ? 0 : -ESPIPE;
	return f;
}

UK_LLSYSCALL_R_DEFINE(ssize_t, pread64, int, fd, void *, buf, size_t, count,
		      off_t, offset)
{
	uint64_t off = (uint64_t)offset;
	int rc;
	struct file *f = seekable(fd, &rc);

	if (rc)
		return rc;
	return offset < 0 ? -EINVAL : read_at(f, buf, count, &off);
}

UK_LLSYSCALL_R_DEFINE(ssize_t, pwrite64, int, fd, const void *, buf, size_t,
		      count, off_t, offset)
{
	uint64_t off = (uint64_t)offset;
	int rc;
	struct file *f = seekable(fd, &rc);

	if (rc)
		return rc;
	return offset < 0 ? -EINVAL : write_at(f, buf, count, &off);
}

UK_LLSYSCALL_R_DEFINE(ssize_t, preadv, int, fd, const struct iovec *, iov,
		      int, iovcnt, off_t, offset)
{
	uint64_t off = (uint64_t)offset;

	return offset < 0 ? -EINVAL : vector(fd, iov, iovcnt, &off, read_at);
}

UK_LLSYSCALL_R_DEFINE(ssize_t, pwritev, int, fd, const struct iovec *, iov,
		      int, iovcnt, off_t, offset)
{
	uint64_t off = (uint64_t)offset;

	return offset < 0 ? -EINVAL : vector(fd, iov, iovcnt, &off, write_part);
}

UK_SYSCALL_R_DEFINE(off_t, lseek, int, fd, off_t, offset, int, whence)
{
	int rc;
	struct file *f = seekable(fd, &rc);
	int64_t from;

	/* Counters, timers and their like have one place. */
	if (f && !(f->vn->mode & S_IFMT))
		return 0;
	if (rc)
		return rc;
	switch (whence) {
	case SEEK_SET:
		from = 0;
		break;
	case SEEK_CUR:
		from = (int64_t)f->off;
		break;
	case SEEK_END:
		from = (int64_t)f->vn->size;
		break;
	case SEEK_DATA:
	case SEEK_HOLE:
		/* No file has holes; one ends each. */
		if (offset < 0 || (uint64_t)offset >= f->vn->size)
			return -ENXIO;
		from = whence == SEEK_DATA ? 0
					   : (int64_t)f->vn->size - offset;
		break;
	default:
		return -EINVAL;
	}
	if (__builtin_add_overflow(from, offset, &from) || from < 0)
		return -EINVAL;
	f->off = (uint64_t)from;
	return from;
}

static int set_length(struct vnode *vn, off_t length)
{
	if (S_ISDIR(vn->mode))
		return -EISDIR;
	if (length < 0 || !vn->ops->truncate)
		return -EINVAL;
	return vn->ops->truncate(vn, (uint64_t)length);
}

UK_SYSCALL_R_DEFINE(int, ftruncate, int, fd, off_t, length)
{
	struct file *f = fdtab_get(fd);

	if (!f)
		return -EBADF;
	return (f->flags & O_ACCMODE) == O_RDONLY ? -EINVAL
						   : set_length(f->vn, length);
}

UK_SYSCALL_R_DEFINE(int, truncate, const char *, path, off_t, length)
{
	struct vnode *vn;
	int rc = vfs_lookup(NULL, path, true, &vn);

	if (rc)
		return rc;
	rc = set_length(vn, length);
	vnode_unref(vn);
	return rc;
}

UK_SYSCALL_R_DEFINE(int, fallocate, int, fd, int, mode, off_t, offset, off_t,
		    len)
{
	struct file *f = fdtab_get(fd);
	off_t end;

	if (!f || (f->flags & O_ACCMODE) == O_RDONLY)
		return -EBADF;
	if (offset < 0 || len <= 0)
		return -EINVAL;
	if (mode)
		return -EOPNOTSUPP;
	if (__builtin_add_overflow(offset, len, &end))
		return -EFBIG;
	if (!S_ISREG(f->vn->mode))
		return f->vn->ops->truncate ? -ENODEV : -ESPIPE;
	return (uint64_t)end <= f->vn->size ? 0 : set_length(f->vn, end);
}

/* Everything lies in memory already. */
static int nothing_to_do(int fd)
{
	return fdtab_get(fd) ? 0 : -EBADF;
}

UK_SYSCALL_R_DEFINE(int, fsync, int, fd)
{
	return nothing_to_do(fd);
}

UK_SYSCALL_R_DEFINE(int, fdatasync, int, fd)
{
	return nothing_to_do(fd);
}

UK_LLSYSCALL_R_DEFINE(int, sync)
{
	return 0;
}

UK_SYSCALL_R_DEFINE(int, flock, int, fd, int, operation)
{
	(void)operation;
	return nothing_to_do(fd);
}

UK_LLSYSCALL_R_DEFINE(int, fadvise64, int, fd, off_t, offset, size_t, len,
		      int, advice)
{
	(void)offset;
	(void)len;
	(void)advice;
	return nothing_to_do(fd);
}

/* Copies by pieces; `*off` ends behind what was written. */
static ssize_t copy(struct file *from, struct file *to, uint64_t *off,
		    size_t count)
{
	char *buf = malloc(COPY_CHUNK);
	size_t done = 0;
	ssize_t n = 0;

	if (!buf)
		return -ENOMEM;
	while (done < count) {
		uint64_t place = *off;
		ssize_t taken = read_at(from, buf, MIN(count - done,
						       (size_t)COPY_CHUNK),
					&place);

		n = taken > 0 ? write_at(to, buf, (size_t)taken, &to->off)
			      : taken;
		if (n <= 0)
			break;
		*off += (uint64_t)n;
		done += (size_t)n;
		if (n < taken)
			break;
	}
	free(buf);
	return n < 0 && !done ? n : (ssize_t)done;
}

UK_SYSCALL_R_DEFINE(ssize_t, sendfile, int, out, int, in, off_t *, offset,
		    size_t, count)
{
	struct file *from = fdtab_hold(in), *to = fdtab_hold(out);
	ssize_t n = -EBADF;
	uint64_t off;

	if (from && to) {
		off = offset ? (uint64_t)*offset : from->off;
		if (!S_ISREG(from->vn->mode) || (to->flags & O_APPEND) ||
		    (int64_t)off < 0)
			n = -EINVAL;
		else
			n = copy(from, to, &off, count);
		if (n > 0 && offset)
			*offset = (off_t)off;
		else if (n > 0)
			from->off = off;
	}
	if (from)
		fdtab_release(from);
	if (to)
		fdtab_release(to);
	return n;
}

UK_LLSYSCALL_R_DEFINE(int, ioctl, int, fd, unsigned long, request, void *, arg)
{
	struct file *f = fdtab_get(fd);

	if (!f || (f->flags & O_PATH))
		return -EBADF;
	switch (request) {
	case FIOCLEX:
	case FIONCLEX:
		return (int)uk_syscall_r_static(SYS_fcntl, fd, F_SETFD,
						request == FIOCLEX);
	case FIONBIO:
		f->flags &= ~O_NONBLOCK;
		if (*(const int *)arg)
			f->flags |= O_NONBLOCK;
		return 0;
	default:
		return f->vn->ops->ioctl
		       ? f->vn->ops->ioctl(f->vn, request, arg) : -ENOTTY;
	}
}
