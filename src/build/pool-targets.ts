/** What images of the starter pool can be made for. */

/** How an image is started. */
export type BootProtocol = 'multiboot' | 'lxboot';

/** Targets by their name in file names. */
export const TARGETS: Readonly<
  Record<string, { readonly protocol: BootProtocol; readonly entry: string; readonly option: string; readonly title: string }>
> = {
  'qemu-x86_64': { protocol: 'multiboot', entry: '_multiboot_entry', option: 'PC_BOOT_MULTIBOOT', title: 'QEMU and Multiboot loaders' },
  'fc-x86_64': { protocol: 'lxboot', entry: '_lxboot_entry', option: 'PC_BOOT_LXBOOT', title: 'Firecracker (Linux 64-bit boot protocol)' },
};

export const DEFAULT_TARGET = 'qemu-x86_64';
