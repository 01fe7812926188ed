/** What the thread that compiles regions under Node loads: the compiler, in a bundle of its own that has a code cache. */
export { RegionCompiler } from './x86/jit/compiler-thread';
