/* SPDX-License-Identifier: BSD-3-Clause */
/* One machine with one processor and one user. */
#include <string.h>
#include <uk/alloc.h>
#include <uk/plat/time.h>
#include <uk/syscall.h>

#define RLIMIT_STACK	3
#define RLIMIT_NOFILE	7
#define RLIM_INFINITY	(~0UL)
#define CLK_TCK		100

struct utsname {
	char sysname[65], nodename[65], release[65], version[65], machine[65],
	     domainname[65];
};

struct sysinfo {
	long uptime;
	unsigned long loads[3];
	unsigned long totalram, freeram, sharedram, bufferram, totalswap,
		      freeswap;
	unsigned short procs, pad;
	unsigned long totalhigh, freehigh;
	unsigned int mem_unit;
};

struct rlimit {
	unsigned long cur, max;
};

struct rusage {
	long utime[2], stime[2];
	long counts[14];
};

struct tms {
	long utime, stime, cutime, cstime;
};

/* The release is one that C libraries find new enough. */
UK_SYSCALL_R_DEFINE(int, uname, struct utsname *, u)
{
	memset(u, 0, sizeof(*u));
	strcpy(u->sysname, "Unikraft");
	strcpy(u->nodename, "unikernel");
	strcpy(u->release, "5.10.0");
	strcpy(u->version, UK_STRINGIFY(UK_VERSION));
	strcpy(u->machine, "x86_64");
	return 0;
}

UK_SYSCALL_R_DEFINE(int, sysinfo, struct sysinfo *, si)
{
	struct uk_alloc *a = uk_alloc_get_default();
	static size_t most;
	size_t avail = a->availmem(a);

	most = MAX(most, avail);
	memset(si, 0, sizeof(*si));
	si->uptime = (long)(ukplat_monotonic_clock() / UKARCH_NSEC_PER_SEC);
	si->totalram = most;
	si->freeram = avail;
	si->procs = 1;
	si->mem_unit = 1;
	return 0;
}

static int limit_of(int resource, struct rlimit *r)
{
	if (resource < 0 || resource > 15)
		return -EINVAL;
	if (r)
		r->cur = r->max = resource == RLIMIT_NOFILE ? 1024
				: resource == RLIMIT_STACK ? 8UL << 20
				: RLIM_INFINITY;
	return 0;
}

UK_SYSCALL_R_DEFINE(int, getrlimit, int, resource, struct rlimit *, r)
{
	return limit_of(resource, r);
}

UK_SYSCALL_R_DEFINE(int, setrlimit, int, resource, const struct rlimit *, r)
{
	(void)r;
	return limit_of(resource, NULL);
}

UK_LLSYSCALL_R_DEFINE(int, prlimit64, pid_t, pid, int, resource,
		      const struct rlimit *, set, struct rlimit *, old)
{
	(void)set;
	return pid < 0 || pid > 1 ? -ESRCH : limit_of(resource, old);
}

UK_SYSCALL_R_DEFINE(int, getrusage, int, who, struct rusage *, ru)
{
	uint64_t us = ukplat_monotonic_clock() / 1000;

	(void)who;
	memset(ru, 0, sizeof(*ru));
	ru->utime[0] = (long)(us / 1000000);
	ru->utime[1] = (long)(us % 1000000);
	return 0;
}

UK_SYSCALL_R_DEFINE(long, times, struct tms *, t)
{
	long ticks = (long)(ukplat_monotonic_clock() /
			    (UKARCH_NSEC_PER_SEC / CLK_TCK));

	if (t)
		*t = (struct tms) { .utime = ticks };
	return ticks;
}

UK_LLSYSCALL_R_DEFINE(long, sched_getaffinity, pid_t, pid, size_t, len,
		      unsigned long *, mask)
{
	(void)pid;
	if (len < sizeof(*mask))
		return -EINVAL;
	*mask = 1;
	return (long)sizeof(*mask);
}

UK_LLSYSCALL_R_DEFINE(int, getcpu, unsigned int *, cpu, unsigned int *, node,
		      void *, unused)
{
	(void)unused;
	if (cpu)
		*cpu = 0;
	if (node)
		*node = 0;
	return 0;
}
