/** Source paths as DWARF records them: joining a directory and a name, and collapsing what does not count. */

const WINDOWS = /^[A-Za-z]:[\\/]/;
const SLASH = 0x2f;
const DOT = 0x2e;

/** A drive letter first; only then is the slower expression worth asking. */
function isWindows(path: string): boolean {
  return path.charCodeAt(1) === 0x3a && WINDOWS.test(path);
}

export function isAbsolute(path: string): boolean {
  return path.charCodeAt(0) === SLASH || isWindows(path);
}

/** Collapses `//`, `.` and `..`; backslashes of Windows paths become slashes. A relative path stays relative. */
export function normalizePath(path: string): string {
  const text = isWindows(path) ? path.replaceAll('\\', '/') : path;
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

function isNormal(path: string): boolean {
  return path.charCodeAt(0) === SLASH && path.length > 1 && !path.endsWith('/') && !path.includes('//') && !path.includes('/.');
}

/** `name` seen from `directory`, normalised; an absolute name stands alone. */
export function joinPath(directory: string, name: string): string {
  // By far the most: a plain name in a directory that is already normalised.
  if (directory !== '' && name.charCodeAt(0) !== DOT && !name.includes('/') && isNormal(directory) && !isWindows(name))
    return `${directory}/${name}`;
  if (isAbsolute(name) || directory === '') return normalizePath(name);
  return normalizePath(`${directory}/${name}`);
}
