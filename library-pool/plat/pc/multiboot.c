/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads the Multiboot 1 information structure. */
#include <string.h>
#include <uk/plat/bootstrap.h>
#include <pc/pc.h>

#define MULTIBOOT_BOOT_MAGIC	0x2badb002

#define MBI_CMDLINE	(1 << 2)
#define MBI_MODS	(1 << 3)
#define MBI_MMAP	(1 << 6)
#define MBI_LOADER_NAME	(1 << 9)

struct mbi {
	uint32_t flags;
	uint32_t mem_lower;
	uint32_t mem_upper;
	uint32_t boot_device;
	uint32_t cmdline;
	uint32_t mods_count;
	uint32_t mods_addr;
	uint32_t syms[4];
	uint32_t mmap_length;
	uint32_t mmap_addr;
	uint32_t drives_length;
	uint32_t drives_addr;
	uint32_t config_table;
	uint32_t boot_loader_name;
};

struct mmap_entry {
	uint32_t size;	/* of what follows */
	uint64_t base;
	uint64_t len;
	uint32_t type;
} __packed;

struct module {
	uint32_t start;
	uint32_t end;
	uint32_t string;
	uint32_t reserved;
};

#define PTR(x)	((const void *)(uintptr_t)(x))

static void read_mmap(const struct mbi *mbi)
{
	uint32_t at = mbi->mmap_addr;
	uint32_t end = mbi->mmap_addr + mbi->mmap_length;

	while (at + sizeof(struct mmap_entry) <= end) {
		const struct mmap_entry *e = PTR(at);

		ukplat_memregion_add(e->base, e->len,
				     e->type == 1 ? UKPLAT_MEMRT_FREE
						  : UKPLAT_MEMRT_RESERVED, "");
		at += e->size + sizeof(e->size);
	}
}

static void read_modules(const struct mbi *mbi)
{
	const struct module *mod = PTR(mbi->mods_addr);
	char name[] = "initrd0";
	uint32_t i;

	for (i = 0; i < mbi->mods_count; i++) {
		name[6] = (char)('0' + MIN(i, 9u));
		ukplat_memregion_add(mod[i].start, mod[i].end - mod[i].start,
				     UKPLAT_MEMRT_INITRD, name);
	}
	ukplat_bootinfo_get()->initrd_count = mbi->mods_count;
}

void __noreturn pc_multiboot_start(uint32_t magic, const struct mbi *mbi)
{
	if (magic != MULTIBOOT_BOOT_MAGIC) {
		pc_emergency_puts("Not started by a Multiboot loader\n");
		ukplat_crash();
	}
	pc_bootinfo_begin("multiboot", mbi->flags & MBI_LOADER_NAME
				       ? PTR(mbi->boot_loader_name) : "");
	if (mbi->flags & MBI_CMDLINE)
		pc_bootinfo_cmdline(PTR(mbi->cmdline),
				    strlen(PTR(mbi->cmdline)));
	if (mbi->flags & MBI_MODS)
		read_modules(mbi);
	if (mbi->flags & MBI_MMAP)
		read_mmap(mbi);
	pc_bootinfo_end();
	pc_start();
}
