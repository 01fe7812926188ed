/** Source paths as DWARF records them: joining a directory and a name, and collapsing what does not count. */

const WINDOWS = /^[A-Za-z]:[\\/]/;

export function isAbsolute(path: string): boolean {
  return path.startsWith('/') || WINDOWS.test(path);
}

/** Collapses `//`, `.` and `..`; backslashes of Windows paths become slashes. A relative path stays relative. */
export function normalizePath(path: string): string {
  const text = WINDOWS.test(path) ? path.replaceAll('\\', '/') : path;
  if (!text.includes('//') && !text.includes('/.') && !text.startsWith('.')) return text;
  const absolute = text.startsWith('/');
  const parts: string[] = [];
  for (const part of text.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && parts.length > 0 && parts[parts.length - 1] !== '..') parts.pop();
    else if (part !== '..' || !absolute) parts.push(part);
  }
  return (absolute ? '/' : '') + parts.join('/');
}

/** `name` seen from `directory`, normalised; an absolute name stands alone. */
export function joinPath(directory: string, name: string): string {
  if (isAbsolute(name) || directory === '') return normalizePath(name);
  return normalizePath(`${directory}/${name}`);
}
