/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pages of memory, without what mmap(2) makes of them. Every process has a
 * space of its own: which pages are in use in it, and what they hold. All
 * spaces lie at the same addresses, as there is no paging; what a page holds
 * for a space that does not run is kept in another page.
 */
#ifndef POSIX_PAGES_H
#define POSIX_PAGES_H

#include <uk/essentials.h>

#define PAGE_SIZE	4096UL

struct space;

/* Hands over memory at a place of its own, page-aligned; 0 or -ENOMEM. */
int pages_add(uintptr_t base, size_t len);

/* Pages that were free; NULL where there is no such run. Not zeroed. */
void *pages_take(size_t len);

/*
 * Takes the pages at an address; where `replace` even those in use. 0,
 * -ENOMEM where they are not among those handed over, or -EEXIST.
 */
int pages_take_at(uintptr_t addr, size_t len, bool replace);

/* Gives pages back; those that are free already stay so. */
void pages_give(uintptr_t addr, size_t len);

/* Gives all back, for a new program. */
void pages_give_all(void);

/* Whether all of a range is in use, so that a program may hand it over. */
bool pages_in_use(uintptr_t addr, size_t len);

/* The space that runs; there is one from the start. */
struct space *space_current(void);
/* A space with a copy of what the current one holds, or an empty one. */
struct space *space_copy(void);
struct space *space_new(void);
/* Goes over to a space; the current one stays as it is. */
void space_switch(struct space *s);
/* Gives up a space that does not run. */
void space_free(struct space *s);

/* For a new program: all pages are free, and the break starts anew. */
void posix_mmap_reset(void);

#endif /* POSIX_PAGES_H */
