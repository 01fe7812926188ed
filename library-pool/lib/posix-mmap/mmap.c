/* SPDX-License-Identifier: BSD-3-Clause */
/* brk() and anonymous mmap() from the default allocator. */
#include <string.h>
#include <uk/alloc.h>
#include <uk/config.h>
#include <uk/syscall.h>

#define PAGE		4096UL
#define MAP_FIXED	0x10
#define MAP_ANONYMOUS	0x20

struct mapping {
	char *base;
	size_t len;
	struct mapping *next;
};

static struct mapping *mappings;
static char *brk_start, *brk_now;

UK_LLSYSCALL_R_DEFINE(long, brk, char *, addr)
{
	if (!brk_start) {
		brk_start = uk_memalign(uk_alloc_get_default(), PAGE,
					CONFIG_LIBPOSIX_MMAP_BRK_SIZE);
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

UK_LLSYSCALL_R_DEFINE(long, mmap, void *, addr, size_t, len, int, prot, int,
		      flags, int, fd, off_t, offset)
{
	struct uk_alloc *a = uk_alloc_get_default();
	struct mapping *m;

	(void)addr;
	(void)prot;
	(void)fd;
	(void)offset;
	if (!len)
		return -EINVAL;
	if (!(flags & MAP_ANONYMOUS) || (flags & MAP_FIXED))
		return -ENOTSUP;
	m = uk_malloc(a, sizeof(*m));
	if (!m)
		return -ENOMEM;
	m->len = ALIGN_UP(len, PAGE);
	m->base = m->len < len ? NULL : uk_memalign(a, PAGE, m->len);
	if (!m->base) {
		uk_free(a, m);
		return -ENOMEM;
	}
	memset(m->base, 0, m->len);
	m->next = mappings;
	mappings = m;
	return (long)m->base;
}

UK_LLSYSCALL_R_DEFINE(int, munmap, char *, addr, size_t, len)
{
	struct uk_alloc *a = uk_alloc_get_default();
	struct mapping **m;

	for (m = &mappings; *m; m = &(*m)->next) {
		struct mapping *found = *m;

		if (found->base != addr || found->len != ALIGN_UP(len, PAGE))
			continue;
		*m = found->next;
		uk_free(a, found->base);
		uk_free(a, found);
		return 0;
	}
	/* Part of a mapping: it stays, as nothing could be had from it. */
	return (uintptr_t)addr & (PAGE - 1) ? -EINVAL : 0;
}

UK_LLSYSCALL_R_DEFINE(int, mprotect, void *, addr, size_t, len, int, prot)
{
	(void)len;
	(void)prot;
	/* All memory is readable, writable and executable. */
	return (uintptr_t)addr & (PAGE - 1) ? -EINVAL : 0;
}
