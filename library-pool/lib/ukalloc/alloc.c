/* SPDX-License-Identifier: BSD-3-Clause */
/* The list of allocators. */
#include <string.h>
#include <uk/alloc.h>

static struct uk_alloc *allocators;

void uk_alloc_register(struct uk_alloc *a)
{
	struct uk_alloc **last = &allocators;

	while (*last)
		last = &(*last)->next;
	a->next = NULL;
	*last = a;
}

struct uk_alloc *uk_alloc_get_default(void)
{
	return allocators;
}

void *uk_calloc(struct uk_alloc *a, size_t n, size_t size)
{
	size_t bytes;
	void *ptr;

	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	ptr = uk_malloc(a, bytes);
	if (ptr)
		memset(ptr, 0, bytes);
	return ptr;
}
