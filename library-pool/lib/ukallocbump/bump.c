/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bump allocation. Before each block lies a header with the class of its
 * size; freed blocks of a class form a list. Four classes to each power of
 * two keep the waste under a quarter.
 */
#include <errno.h>
#include <uk/allocbump.h>

#define MIN_SHIFT	5
#define NR_CLASSES	(4 * (40 - MIN_SHIFT))
#define MAGIC		0xb10cb10cU
#define MAGIC_FREED	0xf4eeb10cU

struct header {
	uint32_t magic;
	uint32_t class;
	uint64_t pad;
};

struct free_block {
	struct free_block *next;
};

struct region {
	uintptr_t at;
	uintptr_t end;
};

struct bump {
	struct uk_alloc a;
	struct region regions[8];
	unsigned int nr_regions;
	struct free_block *free[NR_CLASSES];
	size_t freed;
};

UK_CTASSERT(sizeof(struct header) == 16);

/* Bytes of class c: 32, 40, 48, 56, 64, 80, ... */
static size_t class_size(unsigned int c)
{
	return (size_t)(4 + (c & 3)) << (MIN_SHIFT - 2 + c / 4);
}

static unsigned int class_of(size_t size)
{
	unsigned int c = 0;

	if (size > 64) {
		unsigned int log2 = 63 - (unsigned int)__builtin_clzl(size - 1);

		c = 4 * (log2 - MIN_SHIFT);
	}
	while (c < NR_CLASSES && class_size(c) < size)
		c++;
	return c;
}

static void *bump_memalign(struct uk_alloc *a, size_t align, size_t size)
{
	struct bump *b = __containerof(a, struct bump, a);
	unsigned int c = class_of(MAX(size, (size_t)1));
	unsigned int i;

	if (c >= NR_CLASSES)
		return NULL;
	align = MAX(align, (size_t)16);
	/* Blocks of one class are mostly asked for with one alignment. */
	if (b->free[c] && !((uintptr_t)b->free[c] & (align - 1))) {
		struct free_block *block = b->free[c];

		b->free[c] = block->next;
		((struct header *)block - 1)->magic = MAGIC;
		b->freed -= class_size(c);
		return block;
	}
	size = ALIGN_UP(class_size(c), (size_t)16);
	for (i = 0; i < b->nr_regions; i++) {
		struct region *r = &b->regions[i];
		uintptr_t at = ALIGN_UP(r->at + sizeof(struct header), align);
		struct header *h = (struct header *)at - 1;

		if (at < r->at || at > r->end || size > r->end - at)
			continue;
		r->at = at + size;
		h->magic = MAGIC;
		h->class = c;
		return (void *)at;
	}
	return NULL;
}

static void bump_free(struct uk_alloc *a, void *ptr)
{
	struct bump *b = __containerof(a, struct bump, a);
	struct header *h = (struct header *)ptr - 1;
	struct free_block *block = ptr;

	/* Not ours, freed already, or written over: better lost than reused. */
	if (h->magic != MAGIC || h->class >= NR_CLASSES)
		return;
	h->magic = MAGIC_FREED;
	block->next = b->free[h->class];
	b->free[h->class] = block;
	b->freed += class_size(h->class);
}

static int bump_addmem(struct uk_alloc *a, void *base, size_t len)
{
	struct bump *b = __containerof(a, struct bump, a);

	if (b->nr_regions == ARRAY_SIZE(b->regions))
		return -ENOMEM;
	b->regions[b->nr_regions].at = (uintptr_t)base;
	b->regions[b->nr_regions].end = (uintptr_t)base + len;
	b->nr_regions++;
	return 0;
}

static size_t bump_availmem(struct uk_alloc *a)
{
	struct bump *b = __containerof(a, struct bump, a);
	size_t sum = b->freed;
	unsigned int i;

	for (i = 0; i < b->nr_regions; i++)
		sum += b->regions[i].end - b->regions[i].at;
	return sum;
}

struct uk_alloc *uk_allocbump_init(void *base, size_t len)
{
	struct bump *b = (struct bump *)ALIGN_UP((uintptr_t)base, 16UL);
	char *after = (char *)(b + 1);
	char *end = (char *)base + len;

	if (after > end)
		return NULL;
	*b = (struct bump) {
		.a = {
			.memalign = bump_memalign,
			.free = bump_free,
			.addmem = bump_addmem,
			.availmem = bump_availmem,
		},
	};
	bump_addmem(&b->a, after, (size_t)(end - after));
	uk_alloc_register(&b->a);
	return &b->a;
}
