/** Small random Kconfig trees for property tests, each given wholly by its seed. */

/** A generator of whole numbers below a bound. */
export type Random = (below: number) => number;

/** mulberry32: small, fast and the same everywhere. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** The seed of this run: env SEED, or the clock; printed so that a failure can be repeated. */
export function runSeed(): number {
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
  console.log(`    SEED=${seed}`);
  return seed;
}

/** What a tree may hold. */
export interface TreeOptions {
  readonly symbols: number;
  readonly tristates?: boolean;
  readonly numbers?: boolean;
  readonly choices?: boolean;
}

/** The text of a tree without loops: conditions speak only of symbols defined above, selects only of those below. */
export function randomTree(random: Random, options: TreeOptions): string {
  const names = Array.from({ length: options.symbols }, (_, index) => `S${index}`);
  const types = names.map(() => {
    const roll = random(10);
    if (options.numbers && roll === 0) return 'int';
    return options.tristates && roll < 4 ? 'tristate' : 'bool';
  });
  const out: string[] = [];
  if (options.tristates) out.push('config MODULES', '\tbool "modules"', '\toption modules', '');
  const atom = (below: number): string => {
    const at = random(below);
    const name = names[at]!;
    if (types[at] === 'int') return `${name} ${['<', '>=', '=', '!='][random(4)]} ${random(6)}`;
    if (options.tristates && random(6) === 0) return `${name} = ${'nmy'[random(3)]}`;
    return random(4) === 0 ? `!${name}` : name;
  };
  const condition = (below: number): string => {
    if (random(3) > 0) return atom(below);
    const pair = `${atom(below)} ${random(2) ? '&&' : '||'} ${atom(below)}`;
    return random(4) === 0 ? `!(${pair})` : pair;
  };
  for (let at = 0; at < names.length; at++) {
    if (options.choices && random(6) === 0 && at + 2 < names.length) {
      out.push('choice', '\tprompt "choice"', ...(at > 0 && random(2) ? [`\tdepends on ${condition(at)}`] : []));
      const size = 2 + random(Math.min(2, names.length - at - 2));
      const from = at;
      for (let member = 0; member < size; member++, at++) {
        types[at] = 'bool';
        out.push(`config ${names[at]}`, '\tbool "member"', ...(from > 0 && random(3) === 0 ? [`\tdepends on ${condition(from)}`] : []));
      }
      out.push('endchoice', '');
      at--;
      continue;
    }
    out.push(`config ${names[at]}`, `\t${types[at]}${random(5) > 0 ? ` "prompt ${at}"` : ''}${at > 0 && random(6) === 0 ? '' : ''}`);
    if (at > 0 && random(2)) out.push(`\tdepends on ${condition(at)}`);
    if (types[at] === 'int') {
      if (random(2)) out.push(`\trange ${random(3)} ${3 + random(4)}${at > 0 && random(2) ? ` if ${condition(at)}` : ''}`);
      out.push(`\tdefault ${random(6)}`);
    } else {
      for (let count = random(3); count > 0; count--) {
        out.push(
          `\tdefault ${at > 0 && random(3) === 0 ? condition(at) : random(2) ? 'y' : 'n'}${at > 0 && random(2) ? ` if ${condition(at)}` : ''}`,
        );
      }
      if (at + 1 < names.length && random(3) === 0) {
        const target = at + 1 + random(names.length - at - 1);
        if (types[target] !== 'int')
          out.push(`\t${random(3) ? 'select' : 'imply'} ${names[target]}${at > 0 && random(3) === 0 ? ` if ${condition(at)}` : ''}`);
      }
    }
    out.push('');
  }
  return out.join('\n');
}
