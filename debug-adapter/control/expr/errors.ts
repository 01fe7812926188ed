/** What can be wrong with an expression, in sentences for the user. */
import { CodedError } from '../channel';

const error = (code: string, message: string): CodedError => new CodedError(`expr-${code}`, message);

export const exprErrors = {
  character: (text: string, at: number) => error('character', `"${text}" at column ${at + 1} is not part of a C expression.`),
  unterminated: (quote: string, at: number) => error('unterminated', `The ${quote} at column ${at + 1} is never closed.`),
  characterConstant: (at: number) => error('character-constant', `The character constant at column ${at + 1} must hold one character.`),
  expected: (what: string, at: number) => error('syntax', `Expected ${what} at column ${at + 1}.`),
  tooDeep: () => error('depth', 'The expression is nested too deeply.'),
  unknownName: (name: string) => error('name', `There is no variable, function or constant named ${name} here.`),
  unknownType: (name: string) => error('type-name', `There is no type named ${name}.`),
  unknownRegister: (name: string) => error('register', `This processor has no register $${name}.`),
  call: (name: string) =>
    error('call', `${name} cannot be called: a call would run the guest and change its state. Set a breakpoint in it instead.`),
  notPointer: (type: string) => error('not-pointer', `A value of type ${type} cannot be dereferenced. Cast it to a pointer first.`),
  notStruct: (type: string) => error('not-struct', `A value of type ${type} has no members.`),
  noMember: (type: string, member: string) => error('member', `${type} has no member named ${member}.`),
  notLvalue: () => error('lvalue', 'Only something that lies in memory has an address.'),
  notNumber: (type: string) => error('not-number', `A value of type ${type} cannot take part in arithmetic.`),
  divideByZero: () => error('divide', 'Division by zero.'),
  incomplete: (type: string) => error('incomplete', `The size of ${type} is not known here.`),
  tooLarge: (bytes: number) => error('too-large', `The value has ${bytes} bytes, which is too much to read at once. Look at a part of it.`),
  unreadable: (address: bigint) => error('unreadable', `Nothing is mapped at 0x${address.toString(16)}.`),
  optimizedOut: (name: string) => error('optimized-out', `${name} was optimised away here.`),
  unavailable: (message: string) => error('unavailable', message),
  notAssignable: (name: string) => error('assign', `${name} cannot be assigned to: it has no place in memory or a register.`),
  lookOnly: () =>
    error(
      'look-only',
      'This only looks at the guest, again each time that the same moment is replayed, so it cannot assign. Assign in a watch or in the console.',
    ),
  notScalar: (type: string) => error('scalar', `A value of type ${type} can only be changed member by member.`),
  suffix: (text: string) =>
    error('suffix', `"${text}" is not a format. After the comma write x, d, u, o, b, c, s, a, or a number of elements.`),
} as const;
