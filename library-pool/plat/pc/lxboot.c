/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads the Linux boot protocol's boot_params. */
#include <uk/plat/bootstrap.h>
#include <pc/pc.h>

/* Offsets: Linux, Documentation/arch/x86/zero-page.rst and boot.rst. */
#define BP_EXT_RAMDISK_IMAGE	0x0c0
#define BP_EXT_RAMDISK_SIZE	0x0c4
#define BP_EXT_CMD_LINE_PTR	0x0c8
#define BP_E820_ENTRIES		0x1e8
#define BP_HEADER_MAGIC		0x202
#define BP_RAMDISK_IMAGE	0x218
#define BP_RAMDISK_SIZE		0x21c
#define BP_CMD_LINE_PTR		0x228
#define BP_CMDLINE_SIZE		0x238
#define BP_E820_TABLE		0x2d0

#define HEADER_MAGIC		0x53726448	/* "HdrS" */
#define E820_MAX		128

struct e820_entry {
	uint64_t addr;
	uint64_t size;
	uint32_t type;
} __packed;

static uint32_t field(const char *bp, unsigned int offset)
{
	return *(const uint32_t *)(bp + offset);
}

static uint64_t field_ext(const char *bp, unsigned int lo, unsigned int hi)
{
	return field(bp, lo) | ((uint64_t)field(bp, hi) << 32);
}

void __noreturn pc_lxboot_start(const char *bp)
{
	const struct e820_entry *e = (const void *)(bp + BP_E820_TABLE);
	uint64_t image, size, cmdline;
	unsigned int i, n;

	if (field(bp, BP_HEADER_MAGIC) != HEADER_MAGIC) {
		pc_emergency_puts("Not started by a Linux boot loader\n");
		ukplat_crash();
	}
	pc_bootinfo_begin("lxboot", "");
	cmdline = field_ext(bp, BP_CMD_LINE_PTR, BP_EXT_CMD_LINE_PTR);
	if (cmdline)
		pc_bootinfo_cmdline((const char *)cmdline,
				    field(bp, BP_CMDLINE_SIZE));
	image = field_ext(bp, BP_RAMDISK_IMAGE, BP_EXT_RAMDISK_IMAGE);
	size = field_ext(bp, BP_RAMDISK_SIZE, BP_EXT_RAMDISK_SIZE);
	if (image && size) {
		ukplat_memregion_add(image, size, UKPLAT_MEMRT_INITRD,
				     "initrd0");
		ukplat_bootinfo_get()->initrd_count = 1;
	}
	n = *(const uint8_t *)(bp + BP_E820_ENTRIES);
	for (i = 0; i < MIN(n, (unsigned int)E820_MAX); i++)
		ukplat_memregion_add(e[i].addr, e[i].size,
				     e[i].type == 1 ? UKPLAT_MEMRT_FREE
						    : UKPLAT_MEMRT_RESERVED,
				     "");
	pc_bootinfo_end();
	pc_start();
}
