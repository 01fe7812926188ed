/* SPDX-License-Identifier: BSD-3-Clause */
/* Formatted text, without floating point: into memory, or to the console. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <uk/console.h>

#define LINE		256	/* what goes to the console at once */
#define WIDTH_MAX	0xffff	/* of fields and precisions */

struct out {
	char *buf;
	size_t size;
	size_t used;
	size_t len;		/* of all that was put */
	bool console;		/* where a full buffer goes */
};

struct spec {
	bool left, zero, plus, space, alt, upper;
	int width;
	int precision;	/* -1: none */
};

static void put(struct out *o, char c)
{
	o->len++;
	if (o->used == o->size) {
		if (!o->console)
			return;
		uk_console_out(o->buf, o->used);
		o->used = 0;
	}
	o->buf[o->used++] = c;
}

static void pad(struct out *o, char c, int n)
{
	while (n-- > 0)
		put(o, c);
}

static void put_text(struct out *o, const struct spec *s, const char *text,
		     int len)
{
	if (!s->left)
		pad(o, ' ', s->width - len);
	for (int i = 0; i < len; i++)
		put(o, text[i]);
	if (s->left)
		pad(o, ' ', s->width - len);
}

static void put_number(struct out *o, const struct spec *s, uint64_t v,
		       unsigned int base, const char *prefix)
{
	const char *digits = s->upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char text[24];
	int n = 0, zeros, total;

	while (v) {
		text[n++] = digits[v % base];
		v /= base;
	}
	zeros = (s->precision < 0 ? 1 : s->precision) - n;
	if (zeros < 0)
		zeros = 0;
	total = n + zeros + (int)strlen(prefix);
	if (s->zero && !s->left && s->precision < 0 && total < s->width) {
		zeros += s->width - total;
		total = s->width;
	}
	if (!s->left)
		pad(o, ' ', s->width - total);
	while (*prefix)
		put(o, *prefix++);
	pad(o, '0', zeros);
	while (n)
		put(o, text[--n]);
	if (s->left)
		pad(o, ' ', s->width - total);
}

static int number(const char **fmt)
{
	int v = 0;

	while (**fmt >= '0' && **fmt <= '9') {
		v = v * 10 + (*(*fmt)++ - '0');
		if (v > WIDTH_MAX)
			v = WIDTH_MAX;
	}
	return v;
}

/* Size in bytes of the integer that a length modifier stands for. */
static int length(const char **fmt)
{
	switch (**fmt) {
	case 'h':
		if (*++*fmt != 'h')
			return sizeof(short);
		++*fmt;
		return sizeof(char);
	case 'l':
		if (*++*fmt == 'l')
			++*fmt;
		return sizeof(long);
	case 'z':
	case 't':
	case 'j':
		++*fmt;
		return sizeof(long);
	default:
		return sizeof(int);
	}
}

static uint64_t narrow(uint64_t v, int size, bool is_signed)
{
	int shift = 64 - 8 * size;

	if (is_signed)
		return (uint64_t)((int64_t)(v << shift) >> shift);
	return v << shift >> shift;
}

static const char *flags(const char *fmt, struct spec *s)
{
	for (;; fmt++) {
		switch (*fmt) {
		case '-': s->left = true; break;
		case '0': s->zero = true; break;
		case '+': s->plus = true; break;
		case ' ': s->space = true; break;
		case '#': s->alt = true; break;
		default: return fmt;
		}
	}
}

static void format(struct out *o, const char *fmt, va_list ap)
{
	while (*fmt) {
		struct spec s = { .precision = -1 };
		const char *text;
		uint64_t v;
		char c;
		int n, bytes;

		if (*fmt != '%') {
			put(o, *fmt++);
			continue;
		}
		fmt = flags(fmt + 1, &s);
		if (*fmt == '*') {
			fmt++;
			s.width = va_arg(ap, int);
			if (s.width < 0) {
				s.left = true;
				s.width = s.width < -WIDTH_MAX ? WIDTH_MAX
							       : -s.width;
			}
		} else {
			s.width = number(&fmt);
		}
		if (*fmt == '.') {
			fmt++;
			if (*fmt == '*') {
				fmt++;
				s.precision = va_arg(ap, int);
			} else {
				s.precision = number(&fmt);
			}
		}
		bytes = length(&fmt);
		switch (*fmt) {
		case 'd':
		case 'i':
			v = bytes == sizeof(long) ? va_arg(ap, uint64_t)
						  : va_arg(ap, unsigned int);
			v = narrow(v, bytes, true);
			if ((int64_t)v < 0)
				put_number(o, &s, -v, 10, "-");
			else
				put_number(o, &s, v, 10, s.plus ? "+" :
					   s.space ? " " : "");
			break;
		case 'u':
		case 'x':
		case 'X':
		case 'o':
			v = bytes == sizeof(long) ? va_arg(ap, uint64_t)
						  : va_arg(ap, unsigned int);
			v = narrow(v, bytes, false);
			s.upper = *fmt == 'X';
			put_number(o, &s, v, *fmt == 'u' ? 10 :
				   *fmt == 'o' ? 8 : 16,
				   !s.alt || !v || *fmt == 'u' ? "" :
				   *fmt == 'o' ? "0" : s.upper ? "0X" : "0x");
			break;
		case 'p':
			put_number(o, &s, (uintptr_t)va_arg(ap, void *), 16,
				   "0x");
			break;
		case 'c':
			c = (char)va_arg(ap, int);
			put_text(o, &s, &c, 1);
			break;
		case 's':
			text = va_arg(ap, const char *);
			if (!text)
				text = "(null)";
			for (n = 0; (s.precision < 0 || n < s.precision) &&
			     text[n]; n++)
				;
			put_text(o, &s, text, n);
			break;
		case '%':
			put(o, '%');
			break;
		case 0:
			fmt--;	/* the loop's step comes back to the end */
			break;
		default:
			put(o, '%');
			put(o, *fmt);
			break;
		}
		fmt++;
	}
}

int vsnprintf(char *restrict buf, size_t size, const char *fmt, va_list ap)
{
	struct out o = { .buf = buf, .size = size ? size - 1 : 0 };

	format(&o, fmt, ap);
	if (size)
		buf[o.used] = 0;
	return (int)o.len;
}

int vprintf(const char *restrict fmt, va_list ap)
{
	char line[LINE];
	struct out o = { .buf = line, .size = LINE, .console = true };

	format(&o, fmt, ap);
	uk_console_out(line, o.used);
	return (int)o.len;
}

int snprintf(char *restrict buf, size_t size, const char *restrict fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}
