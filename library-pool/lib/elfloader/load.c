/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads executables and puts them into memory. */
#include <errno.h>
#include <string.h>
#include <posix/pages.h>
#include "elf.h"

static int read_all(struct vnode *vn, void *to, size_t len, uint64_t off)
{
	ssize_t n = vn->ops->read(vn, to, len, off, 0);

	return n < 0 ? (int)n : (size_t)n == len ? 0 : -ENOEXEC;
}

/* Where programs end at the latest: addresses above are not canonical. */
#define HIGHEST		(1UL << 47)

/* The span of all segments, in whole pages. */
static int span(const struct elf *elf, uintptr_t *low, uintptr_t *high)
{
	int i;

	*low = ~0UL;
	*high = 0;
	for (i = 0; i < elf->header.phnum; i++) {
		const struct elf_segment *s = &elf->segments[i];

		if (s->type != PT_LOAD)
			continue;
		if (s->filesz > s->memsz || s->memsz > HIGHEST ||
		    s->vaddr > HIGHEST - s->memsz)
			return -ENOEXEC;
		if (!s->memsz)
			continue;
		*low = MIN(*low, ALIGN_DOWN(s->vaddr, PAGE_SIZE));
		*high = MAX(*high, ALIGN_UP(s->vaddr + s->memsz, PAGE_SIZE));
	}
	return elf->header.entry >= *low && elf->header.entry < *high
	       ? 0 : -ENOEXEC;
}

int elf_open(struct elf *elf, struct vnode *vn)
{
	struct elf_header *h = &elf->header;
	int rc;

	if (!S_ISREG(vn->mode) || !(vn->mode & 0111))
		return -EACCES;
	rc = read_all(vn, h, sizeof(*h), 0);
	if (rc)
		return rc;
	if (memcmp(h->ident, "\177ELF\2\1", 6) || h->machine != EM_X86_64 ||
	    (h->type != ET_EXEC && h->type != ET_DYN) ||
	    h->phentsize != sizeof(struct elf_segment) || !h->phnum ||
	    h->phnum > ELF_MAX_SEGMENTS)
		return -ENOEXEC;
	rc = read_all(vn, elf->segments, h->phnum * sizeof(struct elf_segment),
		      h->phoff);
	if (rc)
		return rc;
	elf->bias = elf->phdr = 0;
	/* While the old program is still there to be told. */
	rc = span(elf, &elf->low, &elf->high);
	if (!rc)
		elf->vn = vnode_ref(vn);
	return rc;
}

void elf_close(struct elf *elf)
{
	vnode_unref(elf->vn);
	elf->vn = NULL;
}

int elf_interpreter(const struct elf *elf, char *path, size_t size)
{
	int i;

	for (i = 0; i < elf->header.phnum; i++) {
		const struct elf_segment *s = &elf->segments[i];
		int rc;

		if (s->type != PT_INTERP)
			continue;
		if (s->filesz < 2 || s->filesz > size)
			return -ENOEXEC;
		rc = read_all(elf->vn, path, s->filesz, s->offset);
		if (rc)
			return rc;
		path[s->filesz - 1] = 0;
		return (int)s->filesz - 1;
	}
	return 0;
}

int elf_load(struct elf *elf)
{
	const uintptr_t low = elf->low, high = elf->high;
	int rc, i;

	if (elf->header.type == ET_EXEC) {
		rc = pages_take_at(low, high - low, false);
		if (rc)
			return -ENOMEM;
	} else {
		void *at = pages_take(high - low);

		if (!at)
			return -ENOMEM;
		elf->bias = (uintptr_t)at - low;
	}
	memset((void *)(low + elf->bias), 0, high - low);
	for (i = 0; i < elf->header.phnum; i++) {
		const struct elf_segment *s = &elf->segments[i];

		if (s->type == PT_PHDR)
			elf->phdr = s->vaddr + elf->bias;
		if (s->type != PT_LOAD)
			continue;
		if (!elf->phdr && elf->header.phoff >= s->offset &&
		    elf->header.phoff < s->offset + s->filesz)
			elf->phdr = s->vaddr + elf->header.phoff - s->offset +
				    elf->bias;
		rc = read_all(elf->vn, (void *)(s->vaddr + elf->bias),
			      s->filesz, s->offset);
		if (rc)
			return rc;
	}
	return 0;
}
