/** Turns addresses of documents into paths and back; a path here is absolute and has forward slashes, also on Windows (`/c:/folder`). */

/** The path of an address; those that are no files get one that no file has. */
export function pathOfUri(uri: string): string {
  const match = /^([A-Za-z][A-Za-z0-9+.-]*):(?:\/\/([^/?#]*))?([^?#]*)/.exec(uri);
  if (!match) return uri.startsWith('/') ? uri : `/${uri}`;
  const [, scheme = '', authority = '', raw = ''] = match;
  const path = decode(raw);
  if (scheme.toLowerCase() !== 'file')
    return `/${scheme}:${authority === '' ? '' : `/${authority}`}${path.startsWith('/') ? '' : '/'}${path}`;
  const drive = /^\/([A-Za-z]):/.exec(path);
  const local = drive ? `/${drive[1]!.toLowerCase()}:${path.slice(3)}` : path;
  return authority === '' ? local : `//${authority}${local}`;
}

/** The address of a file. */
export function uriOfPath(path: string): string {
  const network = /^\/\/([^/]+)(\/.*)$/.exec(path);
  const [authority, local] = network ? [network[1]!, network[2]!] : ['', path];
  return `file://${authority}${local.split('/').map(encodeURIComponent).join('/')}`;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The folder of a path. */
export function folderOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0)) || '/';
}

/** The last component of a path. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** A path without `.` and `..`, taken from a folder where it is relative. */
export function resolvePath(folder: string, path: string): string {
  const out: string[] = [];
  for (const piece of (path.startsWith('/') ? path : `${folder}/${path}`).split('/')) {
    if (piece === '' || piece === '.') continue;
    if (piece === '..') out.pop();
    else out.push(piece);
  }
  return `/${out.join('/')}`;
}
