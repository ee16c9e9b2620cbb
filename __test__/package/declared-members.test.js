'use strict';

// The typings promise members; this walks them with TypeScript's own API and looks each one up in the running classes.

const assert = require('node:assert/strict');
const path = require('node:path');
const { describe, it } = require('node:test');
const ts = require('typescript');
const hotpath = require('hotpath');

const typings = path.join(__dirname, '..', '..', 'index.d.ts');
const program = ts.createProgram([typings], {
  module: ts.ModuleKind.Node16,
  moduleResolution: ts.ModuleResolutionKind.Node16,
  target: ts.ScriptTarget.ES2022,
  types: ['node'],
});
const checker = program.getTypeChecker();
const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(typings)));

/** The declarations of one kind that index.d.ts exports, by name. */
function declarations(isOfKind) {
  return new Map(
    exported.flatMap((symbol) => {
      const real = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
      const declaration = real.declarations?.find(isOfKind);
      return declaration ? [[symbol.name, declaration]] : [];
    }),
  );
}

const classes = declarations(ts.isClassDeclaration);
const functions = declarations(ts.isFunctionDeclaration);
const values = declarations(ts.isVariableDeclaration);

/** The run-time key of a member's name: a string, or the well-known symbol of `[Symbol.iterator]`. */
function keyOf(name) {
  if (!ts.isComputedPropertyName(name)) return name.text;
  assert.ok(ts.isPropertyAccessExpression(name.expression), name.getText());
  return Symbol[name.expression.name.text];
}

function descriptorOf(prototype, key) {
  for (let owner = prototype; owner !== null; owner = Object.getPrototypeOf(owner)) {
    const descriptor = Object.getOwnPropertyDescriptor(owner, key);
    if (descriptor) return descriptor;
  }
  return undefined;
}

function isStatic(member) {
  return member.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.StaticKeyword) ?? false;
}

/** Whether a declared member is there, in the form in which it was declared. */
function isPresent(member, Class) {
  if (isStatic(member)) return keyOf(member.name) in Class;
  const descriptor = descriptorOf(Class.prototype, keyOf(member.name));
  if (ts.isMethodDeclaration(member)) return typeof descriptor?.value === 'function';
  if (ts.isGetAccessor(member)) return typeof descriptor?.get === 'function';
  return false;
}

/** Properties of instances, which only errors have: they come with construction. */
function hasProperty(member, Class) {
  const field = keyOf(member.name);
  return Object.hasOwn(new Class('message', { [field]: 'given' }), field);
}

describe('every declared member exists', () => {
  it('for all that index.js exports', () => {
    const declared = [...classes.keys(), ...functions.keys(), ...values.keys()];
    assert.deepEqual(declared.sort(), Object.keys(hotpath).sort());
    for (const name of functions.keys()) assert.equal(typeof hotpath[name], 'function', name);
  });

  for (const [name, declaration] of classes) {
    it(name, () => {
      const Class = hotpath[name];
      const missing = declaration.members
        .filter((member) => !ts.isConstructorDeclaration(member))
        .filter(
          (member) =>
            !(ts.isPropertyDeclaration(member) && !isStatic(member)
              ? hasProperty(member, Class)
              : isPresent(member, Class)),
        )
        .map((member) => member.getText());
      assert.deepEqual(missing, []);
      const base = declaration.heritageClauses?.[0]?.types[0].expression.getText();
      assert.equal(Object.getPrototypeOf(Class).name, base ?? '', 'extends what it is declared to extend');
    });
  }

  it('and every public member is declared', () => {
    for (const [name, declaration] of classes) {
      const declared = declaration.members.flatMap((member) => (member.name ? [keyOf(member.name)] : []));
      const { prototype } = hotpath[name];
      // What overrides a member of the base class, that one's typings declare.
      const base = Object.getPrototypeOf(prototype);
      const isPublic = (key) =>
        typeof key === 'symbol' ? key.description?.startsWith('Symbol.') : !key.startsWith('_');
      const own = Reflect.ownKeys(prototype).filter((key) => isPublic(key) && !(key in base));
      const undeclared = own.filter((key) => !declared.includes(key));
      assert.deepEqual(undeclared, [], name);
    }
  });
});
