/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory and numbers (ISO C 7.22); numbers that are too large wrap. */
#ifndef STDLIB_H
#define STDLIB_H

#include <stddef.h>

void *malloc(size_t size);
void *calloc(size_t n, size_t size);
void *realloc(void *ptr, size_t size);
void free(void *ptr);

unsigned long strtoul(const char *restrict s, char **restrict end, int base);
long strtol(const char *restrict s, char **restrict end, int base);
int atoi(const char *s);

#endif /* STDLIB_H */
