/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory from the default allocator, and numbers from text. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <uk/alloc.h>

/* What realloc() has to know; it lies before each block. */
struct block {
	size_t size;
	size_t pad;
};

void *malloc(size_t size)
{
	struct block *b;

	if (size > SIZE_MAX - sizeof(*b))
		return NULL;
	b = uk_malloc(uk_alloc_get_default(), sizeof(*b) + size);
	if (!b) {
		errno = ENOMEM;
		return NULL;
	}
	b->size = size;
	return b + 1;
}

void free(void *ptr)
{
	if (ptr)
		uk_free(uk_alloc_get_default(), (struct block *)ptr - 1);
}

void *calloc(size_t n, size_t size)
{
	size_t bytes;
	void *ptr;

	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	ptr = malloc(bytes);
	if (ptr)
		memset(ptr, 0, bytes);
	return ptr;
}

void *realloc(void *ptr, size_t size)
{
	void *moved;
	size_t old;

	if (!ptr)
		return malloc(size);
	old = ((struct block *)ptr - 1)->size;
	moved = malloc(size);
	if (!moved)
		return NULL;
	memcpy(moved, ptr, old < size ? old : size);
	free(ptr);
	return moved;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'Z')
		return c - 'A' + 10;
	return 36;
}

unsigned long strtoul(const char *restrict s, char **restrict end, int base)
{
	const char *p = s;
	unsigned long v = 0;
	int negative = 0;

	while (*p == ' ' || (*p >= '\t' && *p <= '\r'))
		p++;
	if (*p == '-' || *p == '+')
		negative = *p++ == '-';
	if ((base == 0 || base == 16) && p[0] == '0' &&
	    (p[1] | 32) == 'x' && digit(p[2]) < 16) {
		p += 2;
		base = 16;
	} else if (base == 0) {
		base = *p == '0' ? 8 : 10;
	}
	if (digit(*p) >= base)
		p = s;		/* no number: nothing is taken */
	else
		while (digit(*p) < base)
			v = v * (unsigned long)base + (unsigned long)digit(*p++);
	if (end)
		*end = (char *)(uintptr_t)p;
	return negative ? -v : v;
}

long strtol(const char *restrict s, char **restrict end, int base)
{
	return (long)strtoul(s, end, base);
}

int atoi(const char *s)
{
	return (int)strtol(s, NULL, 10);
}
