/** The words of the Kconfig language: what each says, for hovers and completion, and what to write after it. */
import { type Dialect } from '../dialect';

/** One keyword. */
export interface KeywordFact {
  readonly word: string;
  readonly about: string;
  /** What completion writes, as a snippet. */
  readonly snippet: string;
}

const facts: readonly KeywordFact[] = [
  { word: 'config', about: 'Defines an option, or adds to one that is defined elsewhere.', snippet: 'config ${1:NAME}\n\t$0' },
  {
    word: 'menuconfig',
    about: 'An option that is also a menu: what depends on it is shown below it.',
    snippet: 'menuconfig ${1:NAME}\n\t$0',
  },
  {
    word: 'choice',
    about: 'Options of which one is picked.',
    snippet: 'choice\n\tprompt "${1:Title}"\n\tdefault ${2:NAME}\n\nconfig ${2:NAME}\n\tbool "${3:First}"\n\n$0\nendchoice',
  },
  { word: 'menu', about: 'A menu with a title; options up to `endmenu` are in it.', snippet: 'menu "${1:Title}"\n\n$0\n\nendmenu' },
  { word: 'comment', about: 'A line of text in the menu, and in .config.', snippet: 'comment "${1:Text}"' },
  { word: 'if', about: 'What stands up to `endif` depends on the condition.', snippet: 'if ${1:CONDITION}\n\n$0\n\nendif' },
  {
    word: 'source',
    about: 'Reads other files at this place. Wildcards are allowed; what does not exist is left out without a word.',
    snippet: 'source "$1"',
  },
  { word: 'osource', about: 'Like `source`, and no error where the file is missing.', snippet: 'osource "$1"' },
  { word: 'rsource', about: 'Like `source`, with a path relative to this file.', snippet: 'rsource "$1"' },
  { word: 'orsource', about: 'Like `rsource`, and no error where the file is missing.', snippet: 'orsource "$1"' },
  { word: 'mainmenu', about: 'The title of the whole configuration; the very first statement.', snippet: 'mainmenu "${1:Title}"' },
  { word: 'endmenu', about: 'Ends the innermost `menu`.', snippet: 'endmenu' },
  { word: 'endif', about: 'Ends the innermost `if`.', snippet: 'endif' },
  { word: 'endchoice', about: 'Ends the `choice`.', snippet: 'endchoice' },
  { word: 'bool', about: 'The option is y or n.', snippet: 'bool "${1:Prompt}"' },
  { word: 'tristate', about: 'The option is y, m or n; without modules it is a bool.', snippet: 'tristate "${1:Prompt}"' },
  { word: 'int', about: 'The option is a decimal number.', snippet: 'int "${1:Prompt}"' },
  { word: 'hex', about: 'The option is a hexadecimal number.', snippet: 'hex "${1:Prompt}"' },
  { word: 'string', about: 'The option is a text.', snippet: 'string "${1:Prompt}"' },
  { word: 'def_bool', about: '`bool` and `default` in one line.', snippet: 'def_bool ${1:y}' },
  { word: 'def_tristate', about: '`tristate` and `default` in one line.', snippet: 'def_tristate ${1:y}' },
  { word: 'def_int', about: '`int` and `default` in one line.', snippet: 'def_int ${1:0}' },
  { word: 'def_hex', about: '`hex` and `default` in one line.', snippet: 'def_hex ${1:0x0}' },
  { word: 'def_string', about: '`string` and `default` in one line.', snippet: 'def_string "$1"' },
  { word: 'prompt', about: 'The text that the menu shows. Without one a user cannot set the option.', snippet: 'prompt "${1:Prompt}"' },
  {
    word: 'default',
    about: 'The value where the user has set none. Of several, the first whose condition holds counts.',
    snippet: 'default ${1:y}',
  },
  { word: 'depends', about: '`depends on C`: while the condition is n, the option is n and hidden.', snippet: 'depends on ${1:CONDITION}' },
  {
    word: 'select',
    about: 'Raises another option to at least this one’s value, whatever the other depends on.',
    snippet: 'select ${1:NAME}',
  },
  {
    word: 'imply',
    about: 'A default for another option, which the user may still change and dependencies may forbid.',
    snippet: 'imply ${1:NAME}',
  },
  { word: 'range', about: 'The least and the greatest value of a number.', snippet: 'range ${1:0} ${2:100}' },
  {
    word: 'visible',
    about: '`visible if C`: prompts in the menu show only while the condition holds.',
    snippet: 'visible if ${1:CONDITION}',
  },
  {
    word: 'help',
    about: 'The help text follows, indented; it ends at the first line that is indented less.',
    snippet: 'help\n\t  ${1:Text.}',
  },
  { word: '---help---', about: 'An old spelling of `help`.', snippet: '---help---\n\t  ${1:Text.}' },
  { word: 'optional', about: 'The choice may have no option picked.', snippet: 'optional' },
  {
    word: 'option',
    about: 'Special roles of an option: `modules`, `defconfig_list`, `allnoconfig_y`.',
    snippet: 'option ${1|modules,defconfig_list,allnoconfig_y|}',
  },
  { word: 'modules', about: 'This option turns modules (the value m) on.', snippet: 'modules' },
  { word: 'on', about: 'Belongs to `depends on`.', snippet: 'on ' },
];

const byWord = new Map(facts.map((fact) => [fact.word, fact]));

/** What is known of a keyword. */
export function keywordFact(word: string): KeywordFact | undefined {
  return byWord.get(word);
}

/** Built-in functions of the macro language. */
export interface FunctionFact {
  readonly name: string;
  readonly parameters: readonly string[];
  readonly about: string;
}

/** The functions that `$(…)` knows by itself. */
export const functionFacts: readonly FunctionFact[] = [
  { name: 'shell', parameters: ['command'], about: 'The output of a command; line feeds become blanks.' },
  { name: 'info', parameters: ['text'], about: 'Prints the text; stands for nothing.' },
  { name: 'warning-if', parameters: ['condition', 'text'], about: 'Warns with the text where the condition is `y`.' },
  { name: 'error-if', parameters: ['condition', 'text'], about: 'Stops with the text where the condition is `y`.' },
  { name: 'filename', parameters: [], about: 'The file that is being read.' },
  { name: 'lineno', parameters: [], about: 'The line that is being read.' },
];

/** Statements that may stand in any block. */
export function statementWords(dialect: Dialect): readonly string[] {
  const words = ['config', 'menuconfig', 'choice', 'menu', 'comment', 'if', 'source'];
  if (dialect.engine === 'kconfiglib') words.push('osource', 'rsource', 'orsource');
  return words;
}
