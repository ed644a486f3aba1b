/** How values are written as the texts of a databag. */

/** Both ends of a relation use the same: decode() undoes encode(). Either may throw. */
export interface DataCodec {
  readonly encode: (value: unknown, key: string) => string;
  readonly decode: (text: string, key: string) => unknown;
}

/** Each value as JSON text, as most interfaces have it, and the data models unless told. */
export const jsonCodec: DataCodec = {
  encode: (value) => JSON.stringify(value),
  decode: (text) => JSON.parse(text) as unknown,
};

/** For interfaces whose values are plain text: only strings can be written. */
export const textCodec: DataCodec = {
  encode(value) {
    if (typeof value !== 'string') {
      throw new TypeError('not a string');
    }
    return value;
  },
  decode: (text) => text,
};
