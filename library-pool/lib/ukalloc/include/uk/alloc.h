/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory allocators behind one interface. */
#ifndef UK_ALLOC_H
#define UK_ALLOC_H

#include <uk/essentials.h>

struct uk_alloc;

struct uk_alloc {
	/* `align` is a power of two; NULL where no memory is left. */
	void *(*memalign)(struct uk_alloc *a, size_t align, size_t size);
	void (*free)(struct uk_alloc *a, void *ptr);
	/* Hands memory to the allocator; 0 or a negative error number. */
	int (*addmem)(struct uk_alloc *a, void *base, size_t len);
	/* Bytes that are free. */
	size_t (*availmem)(struct uk_alloc *a);
	struct uk_alloc *next;
};

/* The first allocator registered is the default one. */
void uk_alloc_register(struct uk_alloc *a);
struct uk_alloc *uk_alloc_get_default(void);

static inline void *uk_memalign(struct uk_alloc *a, size_t align, size_t size)
{
	return a->memalign(a, align, size);
}

static inline void *uk_malloc(struct uk_alloc *a, size_t size)
{
	return a->memalign(a, 16, size);
}

static inline void uk_free(struct uk_alloc *a, void *ptr)
{
	if (ptr)
		a->free(a, ptr);
}

/* Zeroed memory for `n` things of `size` bytes. */
void *uk_calloc(struct uk_alloc *a, size_t n, size_t size);

#endif /* UK_ALLOC_H */
