/* SPDX-License-Identifier: BSD-3-Clause */
/* Regions of pages, from which the current space takes what it wants. */
#include <errno.h>
#include <uk/alloc.h>
#include <uk/config.h>
#include "pages.h"

struct region pages_regions[MAX_REGIONS];
unsigned int pages_nr_regions;
static bool own_taken;

int pages_add(uintptr_t base, size_t len)
{
	struct region *r = &pages_regions[pages_nr_regions];
	size_t pages = len / PAGE_SIZE;
	uint8_t *owner, *users;

	if (pages_nr_regions == MAX_REGIONS)
		return -ENOMEM;
	owner = uk_calloc(uk_alloc_get_default(), 2, pages);
	if (!owner)
		return -ENOMEM;
	users = owner + pages;
	*r = (struct region) {
		.base = base, .pages = pages, .owner = owner, .users = users,
	};
	if (space_add_region(space_current(), pages_nr_regions)) {
		uk_free(uk_alloc_get_default(), owner);
		return -ENOMEM;
	}
	pages_nr_regions++;
	return 0;
}

void pages_take_share(void)
{
	struct uk_alloc *a = uk_alloc_get_default();
	size_t size = a->availmem(a) / 100 * CONFIG_LIBPOSIX_MMAP_SHARE;
	void *base = NULL;

	if (own_taken)
		return;
	own_taken = true;
	for (; !base && size >= 64 * PAGE_SIZE; size -= size / 8)
		base = uk_memalign(a, PAGE_SIZE, ALIGN_DOWN(size, PAGE_SIZE));
	if (base)
		pages_add((uintptr_t)base, ALIGN_DOWN(size, PAGE_SIZE));
}

static void give(unsigned int region, size_t from, size_t to)
{
	struct space_pages *sp = &space_current()->in[region];
	size_t page;

	for (page = from; page < to; page++) {
		if (!page_is_used(sp, page))
			continue;
		sp->used[page / 8] &= (uint8_t)~(1 << (page % 8));
		pages_regions[region].owner[page] = PAGE_FREE;
		pages_regions[region].users[page]--;
	}
	if (from < sp->lowest)
		sp->lowest = from;
}

/* Marks pages as in use, and makes them the current space's; 0 or -ENOMEM. */
static int take(unsigned int region, size_t from, size_t to)
{
	struct space_pages *sp = &space_current()->in[region];
	size_t page;

	for (page = from; page < to; page++) {
		if (page_is_used(sp, page))
			continue;
		if (space_claim(region, page)) {
			give(region, from, page);
			return -ENOMEM;
		}
		sp->used[page / 8] |= (uint8_t)(1 << (page % 8));
		pages_regions[region].users[page]++;
	}
	return 0;
}

/* A run of pages; `lone`: only such as no other space uses or is kept in. */
static void *take_from(unsigned int region, size_t n, bool lone)
{
	const struct region *r = &pages_regions[region];
	struct space_pages *sp = &space_current()->in[region];
	size_t page, run = 0;

	while (sp->lowest < r->pages && page_is_used(sp, sp->lowest))
		sp->lowest++;
	for (page = sp->lowest; page < r->pages; page++) {
		bool fits = lone ? !r->users[page] && r->owner[page] == PAGE_FREE
				 : !page_is_used(sp, page) &&
				   r->owner[page] != PAGE_KEPT;

		run = fits ? run + 1 : 0;
		if (run < n)
			continue;
		if (take(region, page + 1 - n, page + 1))
			return NULL;
		return (void *)(r->base + (page + 1 - n) * PAGE_SIZE);
	}
	return NULL;
}

void *pages_take(size_t len)
{
	size_t n = len / PAGE_SIZE + (len % PAGE_SIZE != 0);
	unsigned int i, pass;
	void *p = NULL;

	pages_take_share();
	/* What was handed over for programs that want it comes last. */
	for (pass = 0; n && !p && pass < 2; pass++)
		for (i = pages_nr_regions; !p && i-- > 0;)
			p = take_from(i, n, !pass);
	return p;
}

/* The region of a range and its page numbers there; MAX_REGIONS for none. */
static unsigned int region_of(uintptr_t addr, size_t len, size_t *from,
			      size_t *to)
{
	unsigned int i;

	for (i = 0; i < pages_nr_regions; i++) {
		const struct region *r = &pages_regions[i];
		uintptr_t end = r->base + r->pages * PAGE_SIZE;

		if (addr < r->base || addr >= end || len > end - addr)
			continue;
		*from = (addr - r->base) / PAGE_SIZE;
		*to = (addr + len + PAGE_SIZE - 1 - r->base) / PAGE_SIZE;
		return i;
	}
	return MAX_REGIONS;
}

int pages_take_at(uintptr_t addr, size_t len, bool replace)
{
	size_t from, to, page;
	unsigned int region;

	pages_take_share();
	region = region_of(addr, len, &from, &to);
	if (region == MAX_REGIONS)
		return -ENOMEM;
	for (page = from; page < to && !replace; page++)
		if (page_is_used(&space_current()->in[region], page))
			return -EEXIST;
	return take(region, from, to);
}

void pages_give(uintptr_t addr, size_t len)
{
	size_t from, to;
	unsigned int region = region_of(addr, len, &from, &to);

	if (region != MAX_REGIONS)
		give(region, from, to);
}

void pages_give_all(void)
{
	unsigned int i;

	for (i = 0; i < pages_nr_regions; i++)
		give(i, 0, pages_regions[i].pages);
}

bool pages_in_use(uintptr_t addr, size_t len)
{
	size_t from, to, page;
	unsigned int region = region_of(addr, len, &from, &to);

	if (region == MAX_REGIONS)
		return false;
	for (page = from; page < to; page++)
		if (!page_is_used(&space_current()->in[region], page))
			return false;
	return true;
}
