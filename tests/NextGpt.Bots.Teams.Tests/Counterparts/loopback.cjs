// Preloaded into the playground, which would listen on every interface: nobody but this machine can reach it.
'use strict';
const net = require('node:net');
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (...args) {
  const first = args[0];
  const port = first !== null && typeof first === 'object' ? first.port : first;
  return listen.call(this, { port: Number(port ?? 0), host: '127.0.0.1' }, args.find((arg) => typeof arg === 'function'));
};
