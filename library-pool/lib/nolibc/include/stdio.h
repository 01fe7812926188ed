/* SPDX-License-Identifier: BSD-3-Clause */
/* Formatting (ISO C 7.21) into a buffer or to the console; there are no streams. */
#ifndef STDIO_H
#define STDIO_H

#include <stdarg.h>
#include <stddef.h>

/*
 * Conversions: d i u x X o c s p %, flags 0 - + space #, width and precision
 * (also *), lengths hh h l ll z t j. Result: the length that the whole text
 * would have.
 */
int vsnprintf(char *restrict buf, size_t size, const char *restrict fmt,
	      va_list ap);
int snprintf(char *restrict buf, size_t size, const char *restrict fmt, ...)
	__attribute__((format(printf, 3, 4)));

int vprintf(const char *restrict fmt, va_list ap);
int printf(const char *restrict fmt, ...)
	__attribute__((format(printf, 1, 2)));
int puts(const char *s);
int putchar(int c);

#endif /* STDIO_H */
