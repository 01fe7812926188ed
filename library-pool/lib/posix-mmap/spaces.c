/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Spaces. The pages of the one that runs are in their places; of the others
 * those are kept elsewhere that two have in the same place. A switch exchanges
 * them, so that it costs as much as two programs have in common: nothing
 * where they were loaded at different addresses.
 */
#include <errno.h>
#include <string.h>
#include <uk/alloc.h>
#include <uk/plat/bootstrap.h>
#include <uk/print.h>
#include "pages.h"

#define STATUS_SIGKILL	137

static struct space first = { .number = 1 };
static struct space *spaces[MAX_SPACES + 1] = { [1] = &first };
static struct space *current = &first;

/* Where the search for a free page goes on. */
static size_t cursor[MAX_REGIONS];

static void *address_of(unsigned int region, size_t page)
{
	return (void *)(pages_regions[region].base + page * PAGE_SIZE);
}

/* A page by the number that says where something is kept. */
static unsigned int locate(uint32_t number, size_t *page)
{
	unsigned int region = 0;

	for (*page = number - 1; *page >= pages_regions[region].pages; region++)
		*page -= pages_regions[region].pages;
	return region;
}

static uint32_t number_of(unsigned int region, size_t page)
{
	while (region-- > 0)
		page += pages_regions[region].pages;
	return (uint32_t)page + 1;
}

/* A free page to keep something in: its number, or 0. */
static uint32_t take_keeper(void)
{
	unsigned int i;
	size_t n;

	for (i = pages_nr_regions; i-- > 0;) {
		struct region *r = &pages_regions[i];

		/* From the end: programs are given pages from the start. */
		for (n = 0; n < r->pages; n++) {
			size_t page = (cursor[i] + r->pages - 1) % r->pages;

			cursor[i] = page;
			if (r->owner[page] != PAGE_FREE)
				continue;
			r->owner[page] = PAGE_KEPT;
			return number_of(i, page);
		}
	}
	return 0;
}

static void *keeper_address(uint32_t number)
{
	size_t page;
	unsigned int region = locate(number, &page);

	return address_of(region, page);
}

static void free_keeper(uint32_t number)
{
	size_t page;
	unsigned int region = locate(number, &page);

	pages_regions[region].owner[page] = PAGE_FREE;
}

static bool is_zero(const uint64_t *page)
{
	size_t i;

	for (i = 0; i < PAGE_SIZE / sizeof(*page); i++)
		if (page[i])
			return false;
	return true;
}

/* Keeps what is in a page for a space, elsewhere; 0 or -ENOMEM. */
static int keep(struct space_pages *sp, unsigned int region, size_t page)
{
	void *from = address_of(region, page);
	uint32_t keeper = KEPT_ZERO;

	/* Much of what programs reserve they never write to. */
	if (!is_zero(from)) {
		keeper = take_keeper();
		if (!keeper)
			return -ENOMEM;
		memcpy(keeper_address(keeper), from, PAGE_SIZE);
	}
	sp->kept[page] = keeper;
	sp->nr_kept++;
	return 0;
}

/* Says of what was kept in one page that it is kept in another. */
static void rename_keeper(uint32_t was, uint32_t is)
{
	unsigned int n, i;
	size_t p;

	for (n = 1; n <= MAX_SPACES; n++)
		for (i = 0; spaces[n] && i < pages_nr_regions; i++)
			for (p = 0; spaces[n]->in[i].nr_kept &&
				    p < pages_regions[i].pages; p++)
				if (spaces[n]->in[i].kept[p] == was)
					spaces[n]->in[i].kept[p] = is;
}

/* What is kept in a page goes to another one, whosever it is. */
static int move_keeper(unsigned int region, size_t page)
{
	uint32_t keeper = take_keeper();

	if (!keeper)
		return -ENOMEM;
	memcpy(keeper_address(keeper), address_of(region, page), PAGE_SIZE);
	rename_keeper(number_of(region, page), keeper);
	return 0;
}

int space_claim(unsigned int region, size_t page)
{
	uint8_t *owner = &pages_regions[region].owner[page];
	int rc = 0;

	if (*owner == PAGE_KEPT)
		rc = move_keeper(region, page);
	else if (*owner != PAGE_FREE && *owner != current->number)
		rc = keep(&spaces[*owner]->in[region], region, page);
	if (!rc)
		*owner = current->number;
	return rc;
}

int space_add_region(struct space *s, unsigned int region)
{
	struct uk_alloc *a = uk_alloc_get_default();
	struct space_pages *sp = &s->in[region];
	size_t pages = pages_regions[region].pages;

	sp->used = uk_calloc(a, 1, pages / 8 + 1);
	sp->kept = uk_calloc(a, pages, sizeof(*sp->kept));
	if (sp->used && sp->kept)
		return 0;
	uk_free(a, sp->used);
	uk_free(a, sp->kept);
	sp->used = NULL;
	sp->kept = NULL;
	return -ENOMEM;
}

struct space *space_current(void)
{
	return current;
}

struct space *space_new(void)
{
	struct uk_alloc *a = uk_alloc_get_default();
	struct space *s;
	unsigned int number = 1, i;

	/* A region that came later would be missing in it. */
	pages_take_share();
	while (number <= MAX_SPACES && spaces[number])
		number++;
	if (number > MAX_SPACES)
		return NULL;
	s = uk_calloc(a, 1, sizeof(*s));
	if (!s)
		return NULL;
	s->number = (uint8_t)number;
	spaces[number] = s;
	for (i = 0; i < pages_nr_regions; i++) {
		if (!space_add_region(s, i))
			continue;
		space_free(s);
		return NULL;
	}
	return s;
}

struct space *space_copy(void)
{
	struct space *s = space_new();
	unsigned int i;
	size_t page;

	for (i = 0; s && i < pages_nr_regions; i++) {
		const struct space_pages *from = &current->in[i];
		struct space_pages *to = &s->in[i];

		for (page = 0; page < pages_regions[i].pages; page++) {
			if (!page_is_used(from, page))
				continue;
			if (keep(to, i, page)) {
				space_free(s);
				return NULL;
			}
			to->used[page / 8] |= (uint8_t)(1 << (page % 8));
			pages_regions[i].users[page]++;
		}
	}
	return s;
}

static void exchange(uint64_t *a, uint64_t *b)
{
	size_t i;

	for (i = 0; i < PAGE_SIZE / sizeof(*a); i++) {
		uint64_t v = a[i];

		a[i] = b[i];
		b[i] = v;
	}
}

/* Puts a page that is kept into its place; 0 or -ENOMEM. */
static int bring(struct space *s, unsigned int region, size_t page)
{
	struct space_pages *sp = &s->in[region];
	uint8_t *owner = &pages_regions[region].owner[page];
	uint32_t keeper = sp->kept[page];
	void *to = address_of(region, page);
	bool theirs = *owner != PAGE_FREE && *owner != PAGE_KEPT;
	int rc = 0;

	if (keeper == number_of(region, page)) {
		/* It happens to lie where it belongs. */
	} else if (*owner == PAGE_KEPT && keeper == KEPT_ZERO) {
		rc = move_keeper(region, page);
		memset(to, 0, PAGE_SIZE);
	} else if (*owner == PAGE_KEPT) {
		exchange(to, keeper_address(keeper));
		rename_keeper(number_of(region, page), keeper);
	} else if (theirs && keeper != KEPT_ZERO && !is_zero(to)) {
		struct space_pages *other = &spaces[*owner]->in[region];

		exchange(to, keeper_address(keeper));
		other->kept[page] = keeper;
		other->nr_kept++;
	} else {
		if (theirs)
			rc = keep(&spaces[*owner]->in[region], region, page);
		if (keeper == KEPT_ZERO) {
			memset(to, 0, PAGE_SIZE);
		} else {
			memcpy(to, keeper_address(keeper), PAGE_SIZE);
			free_keeper(keeper);
		}
	}
	if (rc)
		return rc;
	sp->kept[page] = 0;
	sp->nr_kept--;
	*owner = s->number;
	return 0;
}

void space_switch(struct space *s)
{
	unsigned int i;
	size_t page;

	current = s;
	for (i = 0; i < pages_nr_regions; i++)
		for (page = 0; s->in[i].nr_kept && page < pages_regions[i].pages;
		     page++)
			if (s->in[i].kept[page] && bring(s, i, page)) {
				uk_pr_crit("Out of memory: processes have written to more of it than there is\n");
				ukplat_exit(STATUS_SIGKILL);
			}
}

void space_free(struct space *s)
{
	struct uk_alloc *a = uk_alloc_get_default();
	unsigned int i;
	size_t page;

	for (i = 0; i < pages_nr_regions; i++) {
		struct region *r = &pages_regions[i];
		struct space_pages *sp = &s->in[i];

		for (page = 0; sp->used && page < r->pages; page++) {
			if (sp->kept[page] && sp->kept[page] != KEPT_ZERO)
				free_keeper(sp->kept[page]);
			if (r->owner[page] == s->number)
				r->owner[page] = PAGE_FREE;
			if (page_is_used(sp, page))
				r->users[page]--;
		}
		if (s != &first) {
			uk_free(a, sp->used);
			uk_free(a, sp->kept);
		}
	}
	spaces[s->number] = NULL;
	if (s != &first)
		uk_free(a, s);
}
