/** Says in words all that a symbol file knows, so that two files of one program can be compared wherever their DIEs lie. */
import { type EvaluationContext, type SourcePosition, type SymbolFile, type Type, type Variable } from '../../../debug-adapter/symbols/api';
import { typeName } from '../../../debug-adapter/symbols/api';
import { plainContext } from './support';

/** Types within types that are spelled out. */
const deepest = 2;

const place = (position: SourcePosition | undefined): string =>
  position === undefined ? '-' : `${position.file.path}:${position.line}:${position.column}`;

/** A type with what it consists of. */
class TypeWords {
  private readonly known = new Map<string, string>();

  of(type: Type, depth = 0): string {
    const key = `${type.id}:${type.language}:${depth}`;
    let text = this.known.get(key);
    if (text === undefined) {
      const size = 'byteSize' in type ? type.byteSize : undefined;
      text = `${type.kind} ${typeName(type)} ${size} ${type.language} @${place(type.declaration)}${depth < deepest ? this.inside(type, depth + 1) : ''}`;
      this.known.set(key, text);
    }
    return text;
  }

  private inside(type: Type, depth: number): string {
    const of = (inner: Type): string => this.of(inner, depth);
    switch (type.kind) {
      case 'pointer':
      case 'typedef':
      case 'qualified':
        return ` -> ${of(type.target)}`;
      case 'pointer-to-member':
        return ` -> ${of(type.target)} of ${of(type.container)}`;
      case 'array':
        return ` [${type.dimensions.map(({ lower, count }) => `${lower}+${count}`).join()}] of ${of(type.element)}`;
      case 'struct':
      case 'class':
      case 'union': {
        const members = [...type.bases, ...type.members].map(
          (each) => `${each.name}@${each.offset}:${each.bitOffset}:${each.bitSize} ${of(each.type)}`,
        );
        const statics = type.statics.map((each) => `${each.qualifiedName} ${of(each.type)} ${place(each.declaration)}`);
        const parameters = type.templateArguments.map((each) => `${each.name}=${each.value} ${each.type && of(each.type)}`);
        return ` ${type.qualifiedName} ${type.incomplete} {${members.join('; ')}} static {${statics.join('; ')}} <${parameters.join('; ')}>`;
      }
      case 'enum':
        return ` ${type.enumerators.map(({ name, value }) => `${name}=${value}`).join()}`;
      case 'function':
        return ` (${type.parameters.map(of).join()}) ${type.variadic} -> ${of(type.returns)}`;
      case 'base':
        return ` ${type.encoding} ${type.bigEndian}`;
      case 'subrange':
        return ` ${type.lower}..${type.upper}`;
      default:
        return '';
    }
  }
}

/** Lines of text by what they are of, the source of which is in a folder. A line that several units give stands once, as units may share what it is of. */
export function describeFile(file: SymbolFile, folder: string): ReadonlyMap<string, readonly string[]> {
  const words = new TypeWords();
  const sections = new Map<string, readonly string[]>();
  const add = (name: string, lines: Iterable<string>): void => void sections.set(name, [...new Set(lines)].sort());
  const variable = (each: Variable, context: EvaluationContext): string => {
    const location = file.locate(each, context);
    const where =
      location.kind === 'implicit-pointer' ? `implicit ${location.target?.name}+${location.offset}` : JSON.stringify(location, big);
    const declared = `${place(each.declaration)} ${each.external} ${each.artificial}`;
    return `${each.kind} ${each.qualifiedName} ${declared} ${words.of(each.type)} = ${where}`;
  };
  const ranges = (list: readonly { low: bigint; high: bigint }[]): string => list.map(({ low, high }) => `${low}-${high}`).join();

  const functions = file.functions({ name: /(?:)/, limit: 1_000_000 });
  add(
    'functions',
    functions.map((each) => {
      const parameters = each.parameters.map((parameter) => `${parameter.name} ${words.of(parameter.type)}`);
      const own = `${each.qualifiedName} ${each.linkageName} ${place(each.declaration)} ${each.external} ${each.noreturn} ${each.variadic}`;
      const sites = file.functionSites(each).map(({ address, line }) => `${address}:${line}`);
      // The copies of a function that units share are those of all of them.
      return `${own} ${ranges(each.ranges)} (${parameters.join('; ')}) -> ${words.of(each.returnType)} ${each.ranges.length > 0 ? sites.join() : ''}`;
    }),
  );
  const names = [...new Set(functions.flatMap((each) => [each.name, each.qualifiedName, each.linkageName ?? '']))].filter(
    (name) => name !== '',
  );
  add(
    'breakpoints',
    names.map((name) => `${name}: ${[...addressesOf(file, name)].sort().join()}`),
  );
  add(
    'functions by name',
    names.map(
      (name) =>
        `${name}: ${[...new Set(file.functions({ name }).map((each) => `${each.qualifiedName} ${ranges(each.ranges)}`))].sort().join()}`,
    ),
  );

  const text = file.elf.section('.text')!;
  const lines: string[] = [];
  const frames: string[] = [];
  for (let at = text.address; at < text.address + BigInt(text.size); at++) {
    const row = file.lineAt(at);
    lines.push(`${at} ${place(row)} ${row?.low}-${row?.high} ${row?.isStmt} ${ranges(file.lineExtent(at))}`);
    const context = plainContext(at);
    file.framesAt(at).forEach((frame, index) => {
      const { function: of } = frame;
      frames.push(
        `${at} ${index} ${of.qualifiedName} ${of.linkageName} ${place(of.declaration)} ${frame.inlined} ${place(frame.position)} ${place(frame.callSite)}`,
      );
      for (const scope of file.scopesAt(at, index))
        frames.push(
          `${at} ${index} ${scope.kind} ${ranges(scope.ranges)} ${scope.variables.map((each) => variable(each, context)).join('\n  ')}`,
        );
    });
    for (const site of file.callSites(at))
      frames.push(
        `${site.returnAddress} calls ${site.callee?.qualifiedName} ${site.calleeEntries.join()} ${site.tailCall} ${site.values.length}`,
      );
  }
  add('lines', lines);
  add('frames', frames);

  const context = plainContext(text.address);
  const units = file.units();
  add(
    'units',
    units.map((unit) => `${unit.path} ${unit.language} ${unit.library} ${unit.producer} ${ranges(unit.ranges)}`),
  );
  add(
    'globals',
    units.flatMap((unit) => file.globals(unit).map((each) => `${unit.path} ${variable(each, context)}`)),
  );
  add(
    'thread-locals',
    file.threadLocals().map((each) => variable(each, context)),
  );
  add(
    'rows',
    units.flatMap((unit) => file.lineRows(unit).map((row) => `${unit.path} ${place(row)} ${row.low}-${row.high} ${row.isStmt}`)),
  );
  add(
    'macros',
    units.flatMap((unit) =>
      [...file.macros(unit)].map((each) => `${unit.path} ${each.name}(${each.parameters?.join()}) ${each.body} ${place(each.definedAt)}`),
    ),
  );
  const types = file.typeNames('', 1_000_000);
  add(
    'types',
    types.flatMap((name) => file.typesNamed(name).map((type) => words.of(type))),
  );
  // What a name means in a unit: its own first. Names of the library's are members of many classes.
  const isOwn = (type: Type): boolean => type.declaration?.file.path.startsWith(folder) === true;
  const ownTypes = types.filter((name) => file.typesNamed(name).some(isOwn));
  add(
    'types of units',
    units.flatMap((unit) =>
      ownTypes.map((name) => `${unit.path} ${name} ${firstOf(file.typesNamed(name, unit).filter(isOwn), (type) => words.of(type))}`),
    ),
  );
  const enumerators = file
    .typeNames('', 1_000_000)
    .flatMap((name) => file.typesNamed(name).flatMap((type) => (type.kind === 'enum' ? type.enumerators : [])));
  add(
    'enumerators',
    enumerators.flatMap(({ name }) => file.enumeratorsNamed(name).map(({ type, value }) => `${name}=${value} ${words.of(type)}`)),
  );
  const globals = units.flatMap((unit) => file.globals(unit)).map(({ name }) => name);
  add(
    'globals by name',
    globals.flatMap((name) =>
      units.map((unit) => `${unit.path} ${name} ${firstOf(file.globalsNamed(name, unit), (each) => variable(each, context))}`),
    ),
  );
  add(
    'sources',
    file.sources().map(
      ({ path }) =>
        `${path} ${file
          .breakpointLocations(path, 1, 100_000)
          .map(({ line, column }) => `${line}:${column}`)
          .join()}`,
    ),
  );
  return sections;
}

const big = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}n` : value);

const firstOf = <T>(list: readonly T[], words: (each: T) => string): string => (list[0] === undefined ? '-' : words(list[0]));

function* addressesOf(file: SymbolFile, name: string): Generator<bigint> {
  const steps = file.functionAddresses({ name });
  for (;;) {
    const { done, value } = steps.next();
    if (done !== true) continue;
    yield* value;
    return;
  }
}
