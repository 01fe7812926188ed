/* SPDX-License-Identifier: BSD-3-Clause */
/* RDRAND, or splitmix64 (Steele, Lea, Flood 2014) seeded from the clocks. */
#include <string.h>
#include <uk/plat/time.h>
#include <uk/print.h>
#include <uk/random.h>
#include <x86/cpu.h>

#define CPUID1_ECX_RDRAND	(1u << 30)
#define TRIES			10	/* as Intel advises */

static bool has_rdrand(void)
{
	uint32_t a, b, c, d;

	x86_cpuid(1, 0, &a, &b, &c, &d);
	return c & CPUID1_ECX_RDRAND;
}

static bool rdrand(uint64_t *v)
{
	uint8_t ok;
	int i;

	for (i = 0; i < TRIES; i++) {
		__asm__ __volatile__("rdrand %0; setc %1"
				     : "=r"(*v), "=qm"(ok) :: "cc");
		if (ok)
			return true;
	}
	return false;
}

static uint64_t splitmix(void)
{
	static uint64_t state;
	uint64_t z;

	if (!state) {
		uk_pr_warn("No hardware random numbers: these can be guessed\n");
		state = ukplat_wall_clock() ^ x86_rdtsc();
	}
	z = state += 0x9e3779b97f4a7c15ULL;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

void uk_random_fill(void *buf, size_t len)
{
	static int hardware = -1;
	char *to = buf;

	if (hardware < 0)
		hardware = has_rdrand();
	while (len) {
		size_t n = MIN(len, sizeof(uint64_t));
		uint64_t v;

		if (!hardware || !rdrand(&v))
			v = splitmix();
		memcpy(to, &v, n);
		to += n;
		len -= n;
	}
}
