/** State-transition tests of charms: state in, one event, state out. */
export {};
