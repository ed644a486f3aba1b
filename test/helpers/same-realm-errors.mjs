// Jest runs tests in a realm of its own; errors made by Node itself must still be `instanceof Error`.
const ordinary = Function.prototype[Symbol.hasInstance];
Object.defineProperty(Error, Symbol.hasInstance, {
  value(it) {
    return ordinary.call(this, it) || (this === Error && Error.isError(it));
  },
});
