/* SPDX-License-Identifier: BSD-3-Clause */
/* What the program finds on its stack. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <posix/pages.h>
#include <uk/config.h>
#include <uk/random.h>
#include <x86/cpu.h>
#include "elf.h"

#define AT_NULL		0
#define AT_PHDR		3
#define AT_PHENT	4
#define AT_PHNUM	5
#define AT_PAGESZ	6
#define AT_BASE		7
#define AT_FLAGS	8
#define AT_ENTRY	9
#define AT_UID		11
#define AT_EUID		12
#define AT_GID		13
#define AT_EGID		14
#define AT_PLATFORM	15
#define AT_HWCAP	16
#define AT_CLKTCK	17
#define AT_SECURE	23
#define AT_RANDOM	25
#define AT_EXECFN	31

/* Strings and pointers to them; as on Linux a quarter of the stack. */
#define ARGS_MAX	(CONFIG_LIBELFLOADER_STACK_KIB * 1024UL / 4)

static size_t total(char *const list[], int *count)
{
	size_t bytes = 0;

	for (*count = 0; list && list[*count] && bytes <= ARGS_MAX; ++*count)
		bytes += strlen(list[*count]) + 1 + sizeof(*list);
	return bytes;
}

static char *append(char *to, const char *text)
{
	size_t len = strlen(text) + 1;

	memcpy(to, text, len);
	return to + len;
}

/* `prefix` comes before argv[1], in place of argv[0] where there is one. */
int strings_copy(struct strings *s, const char *path, const char *prefix[],
		 int nprefix, char *const argv[], char *const envp[])
{
	int argc, i;
	size_t bytes = total(argv, &argc) + total(envp, &s->envc) +
		       strlen(path) + 1;
	char *to;

	for (i = 0; i < nprefix; i++)
		bytes += strlen(prefix[i]) + 1;
	if (bytes > ARGS_MAX)
		return -E2BIG;
	s->text = to = malloc(bytes);
	if (!to)
		return -ENOMEM;
	for (i = 0; i < nprefix; i++)
		to = append(to, prefix[i]);
	for (i = nprefix ? 1 : 0; i < argc; i++)
		to = append(to, argv[i]);
	s->argc = nprefix ? nprefix + (argc ? argc - 1 : 0) : argc;
	for (i = 0; i < s->envc; i++)
		to = append(to, envp[i]);
	s->execfn = to;
	to = append(to, path);
	s->bytes = (size_t)(to - s->text);
	return 0;
}

void strings_free(struct strings *s)
{
	free(s->text);
}

int stack_make(const struct strings *s, const struct elf *elf, uintptr_t base,
	       uintptr_t *sp)
{
	static const char platform[] = "x86_64";
	const size_t size = CONFIG_LIBELFLOADER_STACK_KIB * 1024UL;
	char *bottom = pages_take(size);
	uint32_t a, b, c, features;
	uint64_t random[2];
	char *text, *p;
	int i;

	if (!bottom)
		return -ENOMEM;
	memset(bottom, 0, size);
	x86_cpuid(1, 0, &a, &b, &c, &features);
	uk_random_fill(random, sizeof(random));

	text = bottom + size - ALIGN_UP(s->bytes, 16UL) - 16;
	memcpy(text, s->text, s->bytes);
	p = text - sizeof(platform) - sizeof(random);
	memcpy(p, platform, sizeof(platform));
	memcpy(p + sizeof(platform), random, sizeof(random));

	const uint64_t aux[] = {
		AT_PHDR, elf->phdr,
		AT_PHENT, sizeof(struct elf_segment),
		AT_PHNUM, elf->header.phnum,
		AT_PAGESZ, PAGE_SIZE,
		AT_BASE, base,
		AT_FLAGS, 0,
		AT_ENTRY, elf->header.entry + elf->bias,
		AT_UID, 0, AT_EUID, 0, AT_GID, 0, AT_EGID, 0,
		AT_PLATFORM, (uintptr_t)p,
		AT_HWCAP, features,
		AT_CLKTCK, 100,
		AT_SECURE, 0,
		AT_RANDOM, (uintptr_t)(p + sizeof(platform)),
		AT_EXECFN, (uintptr_t)(text + (s->execfn - s->text)),
		AT_NULL, 0,
	};
	size_t words = 1 + (size_t)s->argc + 1 + (size_t)s->envc + 1 +
		       ARRAY_SIZE(aux);
	uint64_t *to = (uint64_t *)ALIGN_DOWN((uintptr_t)p - 8 * words, 16UL);

	*sp = (uintptr_t)to;
	*to++ = (uint64_t)s->argc;
	for (i = 0; i < s->argc; i++, text += strlen(text) + 1)
		*to++ = (uintptr_t)text;
	*to++ = 0;
	for (i = 0; i < s->envc; i++, text += strlen(text) + 1)
		*to++ = (uintptr_t)text;
	*to++ = 0;
	memcpy(to, aux, sizeof(aux));
	return 0;
}
