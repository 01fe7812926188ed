/** Node's files under the server's paths, which differ from the platform's own only on Windows. */
import { NodeFiles } from '../shared/files.node';
import { type Files } from '../shared/files';

/** `/c:/folder` is `c:/folder` there. */
class WindowsFiles implements Files {
  private readonly disk = new NodeFiles();

  read(path: string): Uint8Array | undefined {
    return this.disk.read(native(path));
  }

  readText(path: string): string | undefined {
    return this.disk.readText(native(path));
  }

  kind(path: string): ReturnType<Files['kind']> {
    return this.disk.kind(native(path));
  }

  list(path: string): readonly string[] {
    return this.disk.list(native(path));
  }

  realPath(path: string): string {
    const real = this.disk.realPath(native(path)).replaceAll('\\', '/');
    return /^[A-Za-z]:/.test(real) ? `/${real[0]!.toLowerCase()}${real.slice(1)}` : real;
  }
}

function native(path: string): string {
  return /^\/[a-z]:/.test(path) ? path.slice(1) : path;
}

/** The files of this machine. */
export function platformFiles(): Files {
  return process.platform === 'win32' ? new WindowsFiles() : new NodeFiles();
}
