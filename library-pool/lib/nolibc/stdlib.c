/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory from the default allocator, and numbers from text. */
#include <errno.h>
#include <stdbool.h>
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

	b = size > SIZE_MAX - sizeof(*b)
	    ? NULL : uk_malloc(uk_alloc_get_default(), sizeof(*b) + size);
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

	if (__builtin_mul_overflow(n, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
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

/* A number without its sign; false where it does not fit. */
static bool number(const char *s, char **end, int base, bool *negative,
		   unsigned long *v)
{
	const char *p = s;
	bool fits = true;

	*v = 0;
	*negative = false;
	while (*p == ' ' || (*p >= '\t' && *p <= '\r'))
		p++;
	if (*p == '-' || *p == '+')
		*negative = *p++ == '-';
	if ((base == 0 || base == 16) && p[0] == '0' &&
	    (p[1] | 32) == 'x' && digit(p[2]) < 16) {
		p += 2;
		base = 16;
	} else if (base == 0) {
		base = *p == '0' ? 8 : 10;
	}
	if (digit(*p) >= base)
		p = s;		/* no number: nothing is taken */
	for (; p != s && digit(*p) < base; p++)
		fits = fits &&
		       !__builtin_mul_overflow(*v, (unsigned long)base, v) &&
		       !__builtin_add_overflow(*v, (unsigned long)digit(*p), v);
	if (end)
		*end = (char *)(uintptr_t)p;
	return fits;
}

unsigned long strtoul(const char *restrict s, char **restrict end, int base)
{
	unsigned long v;
	bool negative;

	if (!number(s, end, base, &negative, &v)) {
		errno = ERANGE;
		return ~0UL;
	}
	return negative ? -v : v;
}

long strtol(const char *restrict s, char **restrict end, int base)
{
	unsigned long v, most;
	bool negative, fits;

	fits = number(s, end, base, &negative, &v);
	/* There is one negative number more. */
	most = (unsigned long)__LONG_MAX__ + negative;
	if (!fits || v > most) {
		errno = ERANGE;
		v = most;
	}
	return (long)(negative ? -v : v);
}

int atoi(const char *s)
{
	return (int)strtol(s, NULL, 10);
}
