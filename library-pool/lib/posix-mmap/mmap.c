/* SPDX-License-Identifier: BSD-3-Clause */
/* The system calls about memory. */
#include <string.h>
#include <posix/pages.h>
#include <uk/config.h>
#include <uk/syscall.h>
#if CONFIG_LIBPOSIX_PROCESS_CHILDREN
#include <posix/state.h>
#endif
#if CONFIG_LIBPOSIX_FDTAB
#include <posix/fdtab.h>
#endif

#define PROT_WRITE		2
#define MAP_SHARED		0x01
#define MAP_TYPE		0x0f
#define MAP_FIXED		0x10
#define MAP_ANONYMOUS		0x20
#define MAP_FIXED_NOREPLACE	0x100000
#define MREMAP_MAYMOVE		1
#define MADV_DONTNEED		4

static char *brk_start, *brk_now;
#if CONFIG_LIBPOSIX_PROCESS_CHILDREN
POSIX_STATE(brk_start, NULL, NULL);
POSIX_STATE(brk_now, NULL, NULL);
#endif

/* For a new program: all pages are free, and the break starts anew. */
void posix_mmap_reset(void)
{
	pages_give_all();
	brk_start = brk_now = NULL;
}

UK_LLSYSCALL_R_DEFINE(long, brk, char *, addr)
{
	if (!brk_start) {
		brk_start = pages_take(CONFIG_LIBPOSIX_MMAP_BRK_SIZE);
		if (!brk_start)
			return -ENOMEM;
		brk_now = brk_start;
	}
	/* As Linux: a place that cannot be had leaves the break where it is. */
	if (addr < brk_start || addr > brk_start +
				       CONFIG_LIBPOSIX_MMAP_BRK_SIZE)
		return (long)brk_now;
	if (addr > brk_now)
		memset(brk_now, 0, (size_t)(addr - brk_now));
	brk_now = addr;
	return (long)brk_now;
}

/* Contents of a file; what lies behind its end is zero. */
static long fill_from_file(char *to, size_t len, int fd, off_t offset)
{
#if CONFIG_LIBPOSIX_FDTAB
	struct file *f = fdtab_get(fd);

	while (f && len) {
		ssize_t n = f->vn->ops->read(f->vn, to, len,
					     (uint64_t)offset, 0);

		if (n < 0)
			return n;
		if (!n)
			break;
		to += n;
		offset += n;
		len -= (size_t)n;
	}
	memset(to, 0, len);
	return 0;
#else
	(void)to;
	(void)len;
	(void)fd;
	(void)offset;
	return -EBADF;
#endif
}

static long check_file(int fd, int prot, int flags)
{
#if CONFIG_LIBPOSIX_FDTAB
	struct file *f = fdtab_get(fd);

	if (!f)
		return -EBADF;
	if (!f->vn->ops->read || S_ISDIR(f->vn->mode))
		return -ENODEV;
	/* What is written would have to come into the file. */
	return (flags & MAP_TYPE) == MAP_SHARED && (prot & PROT_WRITE)
	       ? -ENODEV : 0;
#else
	(void)fd;
	(void)prot;
	(void)flags;
	return -EBADF;
#endif
}

UK_LLSYSCALL_R_DEFINE(long, mmap, char *, addr, size_t, len, int, prot, int,
		      flags, int, fd, off_t, offset)
{
	long rc;

	if (!len || (offset & (off_t)(PAGE_SIZE - 1)))
		return -EINVAL;
	if (!(flags & MAP_ANONYMOUS)) {
		rc = check_file(fd, prot, flags);
		if (rc)
			return rc;
	}
	if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
		if ((uintptr_t)addr & (PAGE_SIZE - 1))
			return -EINVAL;
		rc = pages_take_at((uintptr_t)addr, len,
				   !(flags & MAP_FIXED_NOREPLACE));
		if (rc)
			return rc;
	} else {
		addr = pages_take(len);
		if (!addr)
			return -ENOMEM;
	}
	len = ALIGN_UP(len, PAGE_SIZE);
	if (flags & MAP_ANONYMOUS) {
		memset(addr, 0, len);
		return (long)addr;
	}
	rc = fill_from_file(addr, len, fd, offset);
	if (rc) {
		pages_give((uintptr_t)addr, len);
		return rc;
	}
	return (long)addr;
}

UK_SYSCALL_R_DEFINE(int, munmap, char *, addr, size_t, len)
{
	if (((uintptr_t)addr & (PAGE_SIZE - 1)) || !len)
		return -EINVAL;
	pages_give((uintptr_t)addr, len);
	return 0;
}

UK_LLSYSCALL_R_DEFINE(long, mremap, char *, old, size_t, oldlen, size_t,
		      newlen, int, flags, void *, newaddr)
{
	char *moved;

	(void)newaddr;
	if (((uintptr_t)old & (PAGE_SIZE - 1)) || !newlen || !oldlen ||
	    (flags & ~MREMAP_MAYMOVE))
		return -EINVAL;
	if (!pages_in_use((uintptr_t)old, oldlen))
		return -EFAULT;
	if (newlen > ~0UL - PAGE_SIZE)
		return -ENOMEM;
	oldlen = ALIGN_UP(oldlen, PAGE_SIZE);
	newlen = ALIGN_UP(newlen, PAGE_SIZE);
	if (newlen <= oldlen) {
		if (newlen < oldlen)
			pages_give((uintptr_t)old + newlen, oldlen - newlen);
		return (long)old;
	}
	if (!pages_take_at((uintptr_t)old + oldlen, newlen - oldlen, false)) {
		memset(old + oldlen, 0, newlen - oldlen);
		return (long)old;
	}
	if (!(flags & MREMAP_MAYMOVE))
		return -ENOMEM;
	moved = pages_take(newlen);
	if (!moved)
		return -ENOMEM;
	memcpy(moved, old, oldlen);
	memset(moved + oldlen, 0, newlen - oldlen);
	pages_give((uintptr_t)old, oldlen);
	return (long)moved;
}

UK_SYSCALL_R_DEFINE(int, mprotect, void *, addr, size_t, len, int, prot)
{
	(void)len;
	(void)prot;
	/* All memory is readable, writable and executable. */
	return (uintptr_t)addr & (PAGE_SIZE - 1) ? -EINVAL : 0;
}

UK_SYSCALL_R_DEFINE(int, madvise, char *, addr, size_t, len, int, advice)
{
	if ((uintptr_t)addr & (PAGE_SIZE - 1))
		return -EINVAL;
	if (!len)
		return 0;
	if (!pages_in_use((uintptr_t)addr, len))
		return -ENOMEM;
	if (advice == MADV_DONTNEED)
		memset(addr, 0, ALIGN_UP(len, PAGE_SIZE));
	return 0;
}

UK_SYSCALL_R_DEFINE(int, msync, void *, addr, size_t, len, int, flags)
{
	(void)addr;
	(void)len;
	(void)flags;
	return 0;
}

/* Nothing is ever paged out. */
UK_SYSCALL_R_DEFINE(int, mlock, const void *, addr, size_t, len)
{
	(void)addr;
	(void)len;
	return 0;
}

UK_SYSCALL_R_DEFINE(int, munlock, const void *, addr, size_t, len)
{
	(void)addr;
	(void)len;
	return 0;
}
