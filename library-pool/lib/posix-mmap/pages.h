/* SPDX-License-Identifier: BSD-3-Clause */
/* Between the allocator of pages and the keeper of spaces. */
#ifndef POSIX_MMAP_PAGES_H
#define POSIX_MMAP_PAGES_H

#include <posix/pages.h>

#define MAX_REGIONS	4

/* What lies in a page, or the number of the space whose content it is. */
#define PAGE_FREE	0
#define PAGE_KEPT	255	/* of some space that does not run */
#define MAX_SPACES	200

/* A page that holds only zeros is kept by this alone. */
#define KEPT_ZERO	0xffffffffU

struct region {
	uintptr_t base;
	size_t pages;
	uint8_t *owner;		/* by page */
	uint8_t *users;		/* by page: how many spaces use it */
};

/* Of one region. */
struct space_pages {
	uint8_t *used;		/* a bit for every page */
	/* Where a page is kept: its number + 1; 0 in place, or KEPT_ZERO. */
	uint32_t *kept;
	size_t nr_kept;
	size_t lowest;		/* no page below it is free */
};

struct space {
	uint8_t number;		/* from 1 on */
	struct space_pages in[MAX_REGIONS];
};

extern struct region pages_regions[MAX_REGIONS];
extern unsigned int pages_nr_regions;

static inline bool page_is_used(const struct space_pages *sp, size_t page)
{
	return sp->used[page / 8] >> (page % 8) & 1;
}

/* Makes room for a new region in a space; 0 or -ENOMEM. */
int space_add_region(struct space *s, unsigned int region);

/*
 * Makes a page the current space's. What another space has there goes
 * elsewhere; -ENOMEM where there is no room for that.
 */
int space_claim(unsigned int region, size_t page);

/* Takes our own share of the memory, where that has not been done. */
void pages_take_share(void);

#endif /* POSIX_MMAP_PAGES_H */
