/** The modes of `unikernel config` that only read: values, proofs, plans, checks and comparisons. */
import { configPrefix } from '../kconfig/conf';
import { type Configuration } from '../kconfig/configuration';
import { parseDotConfig } from '../kconfig/dotconfig/read';
import { answerText } from '../kconfig/how';
import { type KconfigService } from '../kconfig/service';
import { proofText, type Clause, type Rule } from '../kconfig/why';
import { CommandError } from './config-options';
import { type ConfigProject } from './config-project';

/** Prints an answer as JSON. */
export function printJson({ io }: ConfigProject, value: unknown): void {
  io.stdout(`${JSON.stringify(value, undefined, 2)}\n`);
}

/** Prints the values of some symbols. */
export function get(project: ConfigProject, configuration: Configuration): number {
  const { words, json } = project.options;
  const found = words.map((name) => project.symbol(configuration, name));
  if (json) printJson(project, Object.fromEntries(found.map((symbol) => [symbol.label, configuration.values.text(symbol)])));
  else for (const symbol of found) project.io.stdout(`${words.length > 1 ? `${symbol.label}=` : ''}${configuration.values.text(symbol)}\n`);
  return 0;
}

/** Proves a value. */
export function why(project: ConfigProject, configuration: Configuration): number {
  const proof = configuration.why(project.symbol(configuration, project.options.words[0]!));
  if (project.options.json)
    printJson(project, { ...proof, symbol: proof.symbol.label, reason: plainRule(proof.reason), rules: proof.rules.map(plainRule) });
  else project.io.stdout(proofText(proof));
  return 0;
}

/** Says how a symbol gets a value; 1 where there is no way. */
export function how(project: ConfigProject, configuration: Configuration): number {
  const { symbol, value } = project.assignment(configuration, project.options.words[0]!);
  const answer = configuration.how(symbol, value);
  if (project.options.json) {
    const plans = answer.plans.map((plan) => ({
      steps: plan.steps.map((step) => ({ symbol: step.symbol.label, value: step.value })),
      changes: plan.changes.map((change) => ({ symbol: change.symbol.label, before: change.before, after: change.after })),
    }));
    printJson(project, {
      symbol: symbol.label,
      wanted: value,
      plans,
      obstacles: answer.obstacles.map(plainClause),
      complete: answer.complete,
    });
  } else project.io.stdout(answerText(answer));
  return answer.plans.length > 0 ? 0 : 1;
}

/** Checks the Kconfig files; 1 where kconfig's own program would refuse them. */
export function lint(project: ConfigProject, service: KconfigService): number {
  const found = service.diagnostics();
  if (project.options.json) printJson(project, found);
  else {
    for (const { file, line, severity, message, code } of found) {
      project.io.stdout(`${file === undefined ? '' : `${file}:${line ?? 1}: `}${severity}: ${message} [${code}]\n`);
    }
  }
  return service.tree.model.refused ? 1 : 0;
}

/** Compares two .config files, line by line of what they set. */
export function diff(project: ConfigProject): number {
  const { words, json } = project.options;
  const { io } = project;
  const [a, b] = words.map((name) => {
    const text = project.read(name);
    if (text === undefined) throw new CommandError(`there is no file ${name}`, 1);
    return new Map(parseDotConfig(text, configPrefix(io.env)).assignments.map(({ name: symbol, value = 'n' }) => [symbol, value]));
  }) as [Map<string, string>, Map<string, string>];
  const changes = [...new Set([...a.keys(), ...b.keys()])]
    .sort()
    .map((symbol) => ({ symbol, before: a.get(symbol), after: b.get(symbol) }))
    .filter(({ before, after }) => before !== after);
  if (json) printJson(project, changes);
  else {
    for (const { symbol, before, after } of changes) {
      if (before === undefined) io.stdout(`+${symbol} ${after}\n`);
      else if (after === undefined) io.stdout(`-${symbol} ${before}\n`);
      else io.stdout(` ${symbol} ${before} -> ${after}\n`);
    }
  }
  return 0;
}

function plainClause(clause: Clause): unknown {
  const { text, value, operands, symbols } = clause;
  return {
    text,
    value: 'nmy'[value],
    symbols: Object.fromEntries(symbols.map(({ symbol, value: worth }) => [symbol.label, worth])),
    operands: operands.map(plainClause),
  };
}

function plainRule(rule: Rule): unknown {
  const { condition, by, ...rest } = rule;
  return { ...rest, ...(by && { by: by.label }), ...(condition && { condition: plainClause(condition) }) };
}
