/** What would have to be in the image for a system call that came back with ENOSYS. */
import { syscallProviders } from '../../trace/syscalls/providers';

/** A sentence that names libraries and options. @param handled whether the image has a handler for the call. */
export function providerText(name: string, handled: boolean): string {
  if (handled) return `The image has a handler for ${name}, which answers ENOSYS itself.`;
  const providers = syscallProviders(name).map(({ library, option }) => `lib/${library} (CONFIG_${option}=y)`);
  if (providers.length === 0) return `No library of Unikraft provides ${name}.`;
  return `${providers.join(' or ')} would provide it: enable ${providers.length === 1 ? 'that' : 'one of them'} and build again.`;
}
