// Removes the properties of `node:http` that are parts of undici, the client behind the global `fetch`. An `import` of
// `node:http`, also in a package, reads all properties and so loads undici: 54 ms of processor time and 14 MB for each
// process and thread (https://github.com/nodejs/node/issues/59686). The globals are not affected.
//
// This must run before `node:http` is imported, and imports are loaded before any code runs. So it is a preload module
// (`node --require`), which Node.js also runs in worker threads.

const http = process.getBuiltinModule('node:http');
for (const name of ['WebSocket', 'CloseEvent', 'MessageEvent']) Reflect.deleteProperty(http, name);
