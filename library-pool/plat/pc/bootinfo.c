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

/* Bytes of a range that are free. */
static uint64_t free_within(uint64_t start, uint64_t end)
{
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; i < bootinfo.mrd_count; i++) {
		const struct ukplat_memregion_desc *mrd = &bootinfo.mrds[i];
		uint64_t lo = MAX(mrd->pbase, start);
		uint64_t hi = MIN(mrd->pbase + mrd->len, end);

		if (mrd->type == UKPLAT_MEMRT_FREE && lo < hi)
			sum += hi - lo;
	}
	return sum;
}

/* Moves a region to the end of the memory that is free above `floor`. */
static int move_up(struct ukplat_memregion_desc *mrd, uint64_t floor)
{
	uint64_t at = 0, old = mrd->pbase;
	uint32_t i;

	for (i = 0; i < bootinfo.mrd_count; i++) {
		const struct ukplat_memregion_desc *to = &bootinfo.mrds[i];
		uint64_t end = to->pbase + to->len;

		if (to->type == UKPLAT_MEMRT_FREE && mrd->len <= to->len &&
		    ALIGN_DOWN(end - mrd->len, 4096) >= MAX(floor, to->pbase))
			at = MAX(at, ALIGN_DOWN(end - mrd->len, 4096));
	}
	if (!at)
		return -ENOMEM;
	memcpy((void *)at, (const void *)old, mrd->len);
	mrd->pbase = at;
	return ukplat_memregion_add(ALIGN_DOWN(old, 4096),
				    ALIGN_UP(old + mrd->len, 4096) -
				    ALIGN_DOWN(old, 4096),
				    UKPLAT_MEMRT_FREE, "");
}

int ukplat_memregion_reserve(uint64_t pbase, uint64_t len, const char *name)
{
	uint32_t i, count = bootinfo.mrd_count;
	int rc = 0;

	for (i = 0; !rc && i < count; i++) {
		struct ukplat_memregion_desc *mrd = &bootinfo.mrds[i];

		if (mrd->type == UKPLAT_MEMRT_INITRD &&
		    mrd->pbase < pbase + len && mrd->pbase + mrd->len > pbase)
			rc = move_up(mrd, pbase + len);
	}
	ukplat_memregion_carve();
	if (rc || free_within(pbase, pbase + len) != len)
		return -ENOMEM;
	rc = ukplat_memregion_add(pbase, len, UKPLAT_MEMRT_RESERVED, name);
	ukplat_memregion_carve();
	return rc;
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
