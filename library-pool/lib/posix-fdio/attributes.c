/* SPDX-License-Identifier: BSD-3-Clause */
/* What files are like: kind, length, owner, permissions, times. */
#include <string.h>
#include <uk/plat/time.h>
#include <uk/syscall.h>
#include "at.h"

#define UTIME_NOW	((1l << 30) - 1)
#define UTIME_OMIT	((1l << 30) - 2)
#define RAMFS_MAGIC	0x858458f6
#define STATX_BASIC	0x7ff

struct statx_time {
	int64_t sec;
	uint32_t nsec;
	int32_t pad;
};

struct statx {
	uint32_t mask, blksize;
	uint64_t attributes;
	uint32_t nlink, uid, gid;
	uint16_t mode, pad0;
	uint64_t ino, size, blocks, attributes_mask;
	struct statx_time atime, btime, ctime, mtime;
	uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
	uint64_t pad1[14];
};

UK_CTASSERT(sizeof(struct statx) == 256);

struct statfs {
	int64_t f_type, f_bsize;
	uint64_t f_blocks, f_bfree, f_bavail, f_files, f_ffree;
	int32_t f_fsid[2];
	int64_t f_namelen, f_frsize, f_flags, spare[4];
};

static int stat_at(int at, const char *path, struct stat *st, int flags)
{
	struct vnode *vn;
	int rc = at_lookup(at, path, flags, &vn);

	if (rc)
		return rc;
	vnode_stat(vn, st);
	vnode_unref(vn);
	return 0;
}

UK_SYSCALL_R_DEFINE(int, stat, const char *, path, struct stat *, st)
{
	return stat_at(AT_FDCWD, path, st, 0);
}

UK_SYSCALL_R_DEFINE(int, lstat, const char *, path, struct stat *, st)
{
	return stat_at(AT_FDCWD, path, st, AT_SYMLINK_NOFOLLOW);
}

UK_SYSCALL_R_DEFINE(int, fstat, int, fd, struct stat *, st)
{
	return stat_at(fd, "", st, AT_EMPTY_PATH);
}

UK_LLSYSCALL_R_DEFINE(int, newfstatat, int, at, const char *, path,
		      struct stat *, st, int, flags)
{
	return stat_at(at, path, st, flags);
}

UK_SYSCALL_R_DEFINE(int, statx, int, at, const char *, path, int, flags,
		    unsigned int, mask, struct statx *, sx)
{
	struct stat st;
	int rc = stat_at(at, path, &st, flags);

	(void)mask;
	if (rc)
		return rc;
	memset(sx, 0, sizeof(*sx));
	sx->mask = STATX_BASIC;
	sx->blksize = (uint32_t)st.st_blksize;
	sx->nlink = (uint32_t)st.st_nlink;
	sx->uid = st.st_uid;
	sx->gid = st.st_gid;
	sx->mode = (uint16_t)st.st_mode;
	sx->ino = st.st_ino;
	sx->size = (uint64_t)st.st_size;
	sx->blocks = (uint64_t)st.st_blocks;
	sx->atime.sec = st.st_atim.tv_sec;
	sx->atime.nsec = (uint32_t)st.st_atim.tv_nsec;
	sx->mtime.sec = st.st_mtim.tv_sec;
	sx->mtime.nsec = (uint32_t)st.st_mtim.tv_nsec;
	sx->ctime = sx->mtime;
	sx->rdev_major = (uint32_t)(st.st_rdev >> 8);
	sx->rdev_minor = (uint32_t)(st.st_rdev & 0xff);
	sx->dev_minor = 1;
	return 0;
}

/* The one user may do everything; what is not executable is not run. */
static int access_at(int at, const char *path, int mode, int flags)
{
	struct stat st;
	int rc = stat_at(at, path, &st, flags);

	if (rc)
		return rc;
	if ((mode & 1) && !S_ISDIR(st.st_mode) && !(st.st_mode & 0111))
		return -EACCES;
	return mode & ~7 ? -EINVAL : 0;
}

UK_SYSCALL_R_DEFINE(int, access, const char *, path, int, mode)
{
	return access_at(AT_FDCWD, path, mode, 0);
}

UK_SYSCALL_R_DEFINE(int, faccessat, int, at, const char *, path, int, mode)
{
	return access_at(at, path, mode, 0);
}

UK_LLSYSCALL_R_DEFINE(int, faccessat2, int, at, const char *, path, int, mode,
		      int, flags)
{
	return access_at(at, path, mode, flags);
}

static int chmod_at(int at, const char *path, uint32_t mode, int flags)
{
	struct vnode *vn;
	int rc = at_lookup(at, path, flags, &vn);

	if (rc)
		return rc;
	vn->mode = (vn->mode & S_IFMT) | (mode & 07777);
	vnode_unref(vn);
	return 0;
}

UK_SYSCALL_R_DEFINE(int, chmod, const char *, path, mode_t, mode)
{
	return chmod_at(AT_FDCWD, path, mode, 0);
}

UK_SYSCALL_R_DEFINE(int, fchmod, int, fd, mode_t, mode)
{
	return chmod_at(fd, "", mode, AT_EMPTY_PATH);
}

UK_SYSCALL_R_DEFINE(int, fchmodat, int, at, const char *, path, mode_t, mode)
{
	return chmod_at(at, path, mode, 0);
}

static int chown_at(int at, const char *path, uint32_t uid, uint32_t gid,
		    int flags)
{
	struct vnode *vn;
	int rc = at_lookup(at, path, flags, &vn);

	if (rc)
		return rc;
	if (uid != (uint32_t)-1)
		vn->uid = uid;
	if (gid != (uint32_t)-1)
		vn->gid = gid;
	vnode_unref(vn);
	return 0;
}

UK_SYSCALL_R_DEFINE(int, chown, const char *, path, uid_t, uid, gid_t, gid)
{
	return chown_at(AT_FDCWD, path, uid, gid, 0);
}

UK_SYSCALL_R_DEFINE(int, lchown, const char *, path, uid_t, uid, gid_t, gid)
{
	return chown_at(AT_FDCWD, path, uid, gid, AT_SYMLINK_NOFOLLOW);
}

UK_SYSCALL_R_DEFINE(int, fchown, int, fd, uid_t, uid, gid_t, gid)
{
	return chown_at(fd, "", uid, gid, AT_EMPTY_PATH);
}

UK_SYSCALL_R_DEFINE(int, fchownat, int, at, const char *, path, uid_t, uid,
		    gid_t, gid, int, flags)
{
	return chown_at(at, path, uid, gid, flags);
}

static uint64_t chosen_time(const struct timespec *ts, uint64_t old)
{
	if (ts && ts->tv_nsec == UTIME_OMIT)
		return old;
	if (!ts || ts->tv_nsec == UTIME_NOW)
		return ukplat_wall_clock();
	return (uint64_t)ts->tv_sec * UKARCH_NSEC_PER_SEC +
	       (uint64_t)ts->tv_nsec;
}

static bool is_time(const struct timespec *ts)
{
	return ts->tv_nsec == UTIME_NOW || ts->tv_nsec == UTIME_OMIT ||
	       (ts->tv_nsec >= 0 && ts->tv_nsec < (long)UKARCH_NSEC_PER_SEC);
}

UK_SYSCALL_R_DEFINE(int, utimensat, int, at, const char *, path,
		    const struct timespec *, times, int, flags)
{
	struct vnode *vn;
	int rc;

	if (times && (!is_time(times) || !is_time(times + 1)))
		return -EINVAL;
	rc = path ? at_lookup(at, path, flags, &vn)
		  : at_lookup(at, "", AT_EMPTY_PATH, &vn);
	if (rc)
		return rc;
	vn->atime = chosen_time(times, vn->atime);
	vn->mtime = chosen_time(times ? times + 1 : NULL, vn->mtime);
	vnode_unref(vn);
	return 0;
}

static void fill_statfs(struct statfs *sf)
{
	memset(sf, 0, sizeof(*sf));
	sf->f_type = RAMFS_MAGIC;
	sf->f_bsize = sf->f_frsize = 4096;
	sf->f_namelen = NAME_MAX;
}

UK_SYSCALL_R_DEFINE(int, statfs, const char *, path, struct statfs *, sf)
{
	struct stat st;
	int rc = stat_at(AT_FDCWD, path, &st, 0);

	if (!rc)
		fill_statfs(sf);
	return rc;
}

UK_SYSCALL_R_DEFINE(int, fstatfs, int, fd, struct statfs *, sf)
{
	if (!fdtab_get(fd))
		return -EBADF;
	fill_statfs(sf);
	return 0;
}
