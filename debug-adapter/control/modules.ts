/** The modules view: one row for each micro-library in the image, with where its code lies and how big it is. */
import { type ModuleInfo } from './api';
import { type SymbolFile } from '../symbols/api';
import { type Target } from './target';

export function modules(target: Target): readonly ModuleInfo[] {
  return target.symbolFiles.flatMap((file) => {
    const libraries = new Map<string, { low: bigint; high: bigint; size: bigint; units: number; sections: Set<string> }>();
    for (const unit of file.units()) {
      for (const { low, high } of unit.ranges) {
        const known = libraries.get(unit.library);
        if (known === undefined) libraries.set(unit.library, { low, high, size: high - low, units: 1, sections: sectionsOf(file, low) });
        else {
          known.low = low < known.low ? low : known.low;
          known.high = high > known.high ? high : known.high;
          known.size += high - low;
          known.units++;
          for (const section of sectionsOf(file, low)) known.sections.add(section);
        }
      }
    }
    if (libraries.size === 0)
      return [{ id: file.name, name: file.name, path: file.name, symbolStatus: file.hasDwarf ? 'Symbols loaded' : 'No debug information' }];
    return [...libraries]
      .sort(([, a], [, b]) => (a.low < b.low ? -1 : 1))
      .map(([name, { low, high, size, sections }]) => ({
        id: `${file.name}:${name}`,
        name,
        path: file.name,
        range: { low, high },
        size: Number(size),
        sections: [...sections].sort(),
        symbolStatus: 'Symbols loaded',
      }));
  });
}

function sectionsOf(file: SymbolFile, address: bigint): Set<string> {
  const section = file.sectionAt(address);
  return new Set(section === undefined ? [] : [section]);
}
