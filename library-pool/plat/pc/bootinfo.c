/* SPDX-License-Identifier: BSD-3-Clause */
/* The record of what the loader told, and the list of memory regions. */
#include <errno.h>
#include <string.h>
#include <pc/pc.h>

static struct ukplat_bootinfo bootinfo __used __section(".uk_bootinfo") = {
	.magic = UKPLAT_BOOTINFO_MAGIC,
	.version = UKPLAT_BOOTINFO_VERSION,
};

extern char _base_addr[], _end[];

struct ukplat_bootinfo *ukplat_bootinfo_get(void)
{
	return &bootinfo;
}

int ukplat_memregion_add(uint64_t pbase, uint64_t len, uint32_t type,
			 const char *name)
{
	struct ukplat_memregion_desc *mrd;

	if (bootinfo.mrd_count == UKPLAT_MEMRD_MAX)
		return -ENOMEM;
	mrd = &bootinfo.mrds[bootinfo.mrd_count++];
	mrd->pbase = pbase;
	mrd->len = len;
	mrd->type = type;
	strncpy(mrd->name, name, sizeof(mrd->name) - 1);
	return 0;
}

/* Removes [start, end) from one free region, splitting it where needed. */
static void carve_one(struct ukplat_memregion_desc *mrd, uint64_t start,
		      uint64_t end)
{
	uint64_t lo = mrd->pbase;
	uint64_t hi = mrd->pbase + mrd->len;

	if (end <= lo || start >= hi)
		return;
	if (start <= lo) {
		mrd->pbase = MIN(end, hi);
		mrd->len = hi - mrd->pbase;
		return;
	}
	mrd->len = start - lo;
	if (end < hi)
		ukplat_memregion_add(end, hi - end, UKPLAT_MEMRT_FREE, "");
}

void ukplat_memregion_carve(void)
{
	uint32_t i, j;

	for (i = 0; i < bootinfo.mrd_count; i++) {
		struct ukplat_memregion_desc *used = &bootinfo.mrds[i];

		if (used->type == UKPLAT_MEMRT_FREE)
			continue;
		for (j = 0; j < bootinfo.mrd_count; j++)
			if (bootinfo.mrds[j].type == UKPLAT_MEMRT_FREE)
				carve_one(&bootinfo.mrds[j],
					  ALIGN_DOWN(used->pbase, 4096),
					  ALIGN_UP(used->pbase + used->len,
						   4096));
	}
}

const struct ukplat_memregion_desc *
ukplat_memregion_next(const struct ukplat_memregion_desc *prev, uint32_t type)
{
	const struct ukplat_memregion_desc *mrd = prev ? prev + 1
						       : bootinfo.mrds;

	for (; mrd < bootinfo.mrds + bootinfo.mrd_count; mrd++)
		if (mrd->type == type && mrd->len)
			return mrd;
	return NULL;
}

void pc_bootinfo_begin(const char *protocol, const char *loader)
{
	strncpy(bootinfo.bootprotocol, protocol,
		sizeof(bootinfo.bootprotocol) - 1);
	strncpy(bootinfo.bootloader, loader, sizeof(bootinfo.bootloader) - 1);
	ukplat_memregion_add((uint64_t)_base_addr,
			     (uint64_t)(_end - _base_addr),
			     UKPLAT_MEMRT_KERNEL, "kernel");
	/* Real mode's tables, the VGA window and the firmware. */
	ukplat_memregion_add(0, 0x100000, UKPLAT_MEMRT_RESERVED, "lowmem");
}

void pc_bootinfo_cmdline(const char *cmdline, size_t len)
{
	len = MIN(len, (size_t)UKPLAT_CMDLINE_MAX - 1);
	memcpy(bootinfo.cmdline, cmdline, len);
	bootinfo.cmdline[len] = 0;
}

void pc_bootinfo_end(void)
{
	/* Only the first 4 GiB are mapped. */
	ukplat_memregion_add(0x100000000ULL, ~0ULL - 0x100000000ULL - 8191,
			     UKPLAT_MEMRT_RESERVED, "unmapped");
	ukplat_memregion_carve();
}
