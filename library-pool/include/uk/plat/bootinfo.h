/* SPDX-License-Identifier: BSD-3-Clause */
/* What the boot loader told: memory, initial RAM disks, the command line. */
#ifndef UK_PLAT_BOOTINFO_H
#define UK_PLAT_BOOTINFO_H

#include <uk/essentials.h>

#define UKPLAT_BOOTINFO_MAGIC	0xB007B0B0
#define UKPLAT_BOOTINFO_VERSION	1

#define UKPLAT_MEMRT_FREE	0
#define UKPLAT_MEMRT_RESERVED	1
#define UKPLAT_MEMRT_KERNEL	2
#define UKPLAT_MEMRT_INITRD	3

#define UKPLAT_MEMRD_MAX	64
#define UKPLAT_CMDLINE_MAX	4096

/* A region of physical memory; virtual addresses are the same. */
struct ukplat_memregion_desc {
	uint64_t pbase;
	uint64_t len;		/* bytes */
	uint32_t type;
	char name[20];
};

struct ukplat_bootinfo {
	uint32_t magic;
	uint8_t version;
	uint8_t pad[3];
	char bootloader[16];
	char bootprotocol[16];
	uint32_t mrd_count;
	uint32_t initrd_count;
	struct ukplat_memregion_desc mrds[UKPLAT_MEMRD_MAX];
	char cmdline[UKPLAT_CMDLINE_MAX];
};

struct ukplat_bootinfo *ukplat_bootinfo_get(void);

/* Adds a region; returns 0, or -ENOMEM where the table is full. */
int ukplat_memregion_add(uint64_t pbase, uint64_t len, uint32_t type,
			 const char *name);

/* Takes every region that is not free out of the free ones. */
void ukplat_memregion_carve(void);

/*
 * Takes a range that is free out of the free memory, before an allocator has
 * it. Initial RAM disks that lie there move to the end of the memory. -ENOMEM
 * where there is no such memory, or something else in it.
 */
int ukplat_memregion_reserve(uint64_t pbase, uint64_t len, const char *name);

/* The next region of a type after `prev` (NULL: the first), or NULL. */
const struct ukplat_memregion_desc *
ukplat_memregion_next(const struct ukplat_memregion_desc *prev, uint32_t type);

#endif /* UK_PLAT_BOOTINFO_H */
