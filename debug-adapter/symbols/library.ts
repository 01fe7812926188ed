/** Tells from a unit's path which micro-library it belongs to, by the layout of Unikraft's trees and build directory. */

/**
 * `libuksched` for `…/lib/uksched/sched.c` and for `BUILD/libuksched/…`; `libmusl` for `…/libs/musl/…`; `libkvmplat` for `…/plat/kvm/…`;
 * `libvirtio_bus` for drivers keep the driver's folder name; `app…` for the build directory's application; else the name of the folder the file is in.
 */
export function libraryOf(path: string, buildDirectory: string): string {
  if (buildDirectory !== '' && path.startsWith(`${buildDirectory}/`)) {
    const first = path.slice(buildDirectory.length + 1).split('/', 1)[0]!;
    if (/^(lib|app|plat)/.test(first) && path.includes(`/${first}/`)) return first;
  }
  const parts = path.split('/');
  for (let i = parts.length - 2; i > 0; i--) {
    const next = parts[i + 1]!;
    const isFolder = i + 1 < parts.length - 1;
    switch (parts[i]) {
      case 'lib':
      case 'libs':
        if (isFolder) return next.startsWith('lib') ? next : `lib${next.replace(/^lib-/, '')}`;
        break;
      case 'plat':
        if (isFolder) return next === 'common' ? 'libkvmplat' : `lib${next}plat`;
        break;
      case 'drivers':
        if (isFolder) return `lib${parts.slice(i + 1, -1).join('')}`;
        break;
      default:
        if (/^lib-[a-z0-9-]+$/.test(parts[i]!)) return `lib${parts[i]!.slice(4)}`;
        if (/^app-[a-z0-9-]+$/.test(parts[i]!)) return `app${parts[i]!.slice(4)}`;
    }
  }
  return parts.length > 1 ? parts[parts.length - 2]! : '';
}
