/* SPDX-License-Identifier: BSD-3-Clause */
/* Regions of pages, each with a bit for every page in use. */
#include <errno.h>
#include <string.h>
#include <posix/pages.h>
#include <uk/alloc.h>
#include <uk/config.h>

struct region {
	uintptr_t base;
	size_t pages;
	size_t lowest;		/* no page below it is free */
	uint8_t *used;
};

static struct region regions[4];
static unsigned int nr_regions;
static bool own_taken;

static bool is_used(const struct region *r, size_t page)
{
	return r->used[page / 8] >> (page % 8) & 1;
}

static void set_used(struct region *r, size_t from, size_t to, bool used)
{
	size_t page;

	for (page = from; page < to; page++)
		if (used)
			r->used[page / 8] |= (uint8_t)(1 << (page % 8));
		else
			r->used[page / 8] &= (uint8_t)~(1 << (page % 8));
	if (!used && from < r->lowest)
		r->lowest = from;
}

int pages_add(uintptr_t base, size_t len)
{
	struct region *r = &regions[nr_regions];
	uint8_t *used;

	if (nr_regions == ARRAY_SIZE(regions))
		return -ENOMEM;
	used = uk_calloc(uk_alloc_get_default(), 1, len / PAGE_SIZE / 8 + 1);
	if (!used)
		return -ENOMEM;
	*r = (struct region) {
		.base = base, .pages = len / PAGE_SIZE, .used = used,
	};
	nr_regions++;
	return 0;
}

/* Our own share of the memory, when it is first needed. */
static void take_share(void)
{
	struct uk_alloc *a = uk_alloc_get_default();
	size_t size = a->availmem(a) / 100 * CONFIG_LIBPOSIX_MMAP_SHARE;
	void *base = NULL;

	own_taken = true;
	for (; !base && size >= 64 * PAGE_SIZE; size -= size / 8)
		base = uk_memalign(a, PAGE_SIZE, ALIGN_DOWN(size, PAGE_SIZE));
	if (base)
		pages_add((uintptr_t)base, ALIGN_DOWN(size, PAGE_SIZE));
}

static void *take_from(struct region *r, size_t n)
{
	size_t page, run = 0;

	while (r->lowest < r->pages && is_used(r, r->lowest))
		r->lowest++;
	for (page = r->lowest; page < r->pages; page++) {
		run = is_used(r, page) ? 0 : run + 1;
		if (run == n) {
			set_used(r, page + 1 - n, page + 1, true);
			return (void *)(r->base + (page + 1 - n) * PAGE_SIZE);
		}
	}
	return NULL;
}

void *pages_take(size_t len)
{
	size_t n = ALIGN_UP(len, PAGE_SIZE) / PAGE_SIZE;
	unsigned int i;
	void *p = NULL;

	if (!own_taken)
		take_share();
	/* What was handed over for programs that want it comes last. */
	for (i = nr_regions; !p && i-- > 0;)
		p = take_from(&regions[i], n);
	return p;
}

/* The region of a range, and its page numbers there. */
static struct region *region_of(uintptr_t addr, size_t len, size_t *from,
				size_t *to)
{
	unsigned int i;

	for (i = 0; i < nr_regions; i++) {
		struct region *r = &regions[i];
		uintptr_t end = r->base + r->pages * PAGE_SIZE;

		if (addr < r->base || addr >= end || len > end - addr)
			continue;
		*from = (addr - r->base) / PAGE_SIZE;
		*to = (addr + len + PAGE_SIZE - 1 - r->base) / PAGE_SIZE;
		return r;
	}
	return NULL;
}

int pages_take_at(uintptr_t addr, size_t len, bool replace)
{
	size_t from, to, page;
	struct region *r = region_of(addr, len, &from, &to);

	if (!r)
		return -ENOMEM;
	for (page = from; page < to && !replace; page++)
		if (is_used(r, page))
			return -EEXIST;
	set_used(r, from, to, true);
	return 0;
}

void pages_give(uintptr_t addr, size_t len)
{
	size_t from, to;
	struct region *r = region_of(addr, len, &from, &to);

	if (r)
		set_used(r, from, to, false);
}

void pages_give_all(void)
{
	unsigned int i;

	for (i = 0; i < nr_regions; i++)
		set_used(&regions[i], 0, regions[i].pages, false);
}
