/** The grammars, language configurations and snippets: well formed, every rule there, every pattern a pattern. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const folder = path.resolve(__dirname, '../../../syntaxes');

interface Rule {
  readonly include?: string;
  readonly match?: string;
  readonly begin?: string;
  readonly end?: string;
  readonly patterns?: readonly Rule[];
  readonly captures?: Readonly<Record<string, Rule>>;
  readonly beginCaptures?: Readonly<Record<string, Rule>>;
  readonly endCaptures?: Readonly<Record<string, Rule>>;
}

interface Grammar extends Rule {
  readonly scopeName: string;
  readonly repository?: Readonly<Record<string, Rule>>;
}

function* rulesOf(rule: Rule): Generator<Rule> {
  yield rule;
  for (const inner of rule.patterns ?? []) yield* rulesOf(inner);
  for (const captures of [rule.captures, rule.beginCaptures, rule.endCaptures])
    for (const inner of Object.values(captures ?? {})) yield* rulesOf(inner);
}

const read = (name: string): unknown => JSON.parse(readFileSync(path.join(folder, name), 'utf8'));

describe('the syntaxes', () => {
  for (const name of readdirSync(folder).filter((each) => each.endsWith('.tmLanguage.json'))) {
    it(`${name} refers to rules that are there, and all its patterns compile`, () => {
      const grammar = read(name) as Grammar;
      const repository = grammar.repository ?? {};
      assert.match(grammar.scopeName, /^source\./);
      const used = new Set<string>();
      for (const rule of [grammar, ...Object.values(repository)].flatMap((each) => [...rulesOf(each)])) {
        if (rule.include !== undefined) {
          assert.ok(rule.include.slice(1) in repository, rule.include);
          used.add(rule.include.slice(1));
        }
        for (const pattern of [rule.match, rule.begin, rule.end])
          if (pattern !== undefined) assert.doesNotThrow(() => new RegExp(pattern.replace(/\\G/g, '')), pattern);
        assert.equal(rule.begin === undefined, rule.end === undefined, JSON.stringify(rule));
        // Captures must exist in the pattern.
        for (const [pattern, captures] of [
          [rule.match, rule.captures],
          [rule.begin, rule.beginCaptures],
        ] as const) {
          if (pattern === undefined || !captures) continue;
          const groups = new RegExp(`${pattern}|`).exec('')!.length - 1;
          for (const key of Object.keys(captures)) assert.ok(Number(key) <= groups, `${pattern} has no group ${key}`);
        }
      }
      assert.deepEqual(
        Object.keys(repository).filter((key) => !used.has(key)),
        [],
      );
    });
  }

  it('have language configurations whose rules compile', () => {
    for (const name of readdirSync(folder).filter((each) => each.endsWith('.language-configuration.json'))) {
      const configuration = read(name) as {
        comments: { lineComment: string };
        wordPattern: string;
        indentationRules?: Record<string, string>;
        folding?: { markers: Record<string, string> };
      };
      assert.equal(configuration.comments.lineComment, '#', name);
      for (const pattern of [
        configuration.wordPattern,
        ...Object.values(configuration.indentationRules ?? {}),
        ...Object.values(configuration.folding?.markers ?? {}),
      ])
        assert.doesNotThrow(() => new RegExp(pattern), pattern);
    }
  });

  it('have snippets with a prefix and a body', () => {
    for (const name of readdirSync(folder).filter((each) => each.endsWith('.snippets.json'))) {
      for (const [title, snippet] of Object.entries(
        read(name) as Record<string, { prefix: string; body: string[]; description: string }>,
      )) {
        assert.ok(snippet.prefix && snippet.body.length > 0 && snippet.description, `${name}: ${title}`);
      }
    }
  });
});
