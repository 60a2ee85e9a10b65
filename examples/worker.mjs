#!/usr/bin/env node
// A supervised worker in Node.js, from the standard library alone: copy `supervisor` and keep it.
//
// Node cannot open a Unix datagram socket, so it writes to the pipe that "heartbeat": {"fd": true} gives it.
import { write } from 'node:fs';

const supervisor = {
  fd: process.env.VIGIL_HEARTBEAT_FD ? Number(process.env.VIGIL_HEARTBEAT_FD) : null,
  lines: [],
  writing: false,

  // Milliseconds between two beats as the supervisor wants them; `otherwise` if it wants none.
  interval(otherwise) {
    const microseconds = Number(process.env.VIGIL_HEARTBEAT_INTERVAL_USEC || process.env.WATCHDOG_USEC / 3);
    return microseconds > 0 ? microseconds / 1000 : otherwise;
  },
  ready() { this.tell('READY=1'); },
  beat() { this.tell(''); },
  status(text) { this.tell('STATUS=' + text.replace(/\s+/g, ' ')); },
  stopping() { this.tell('STOPPING=1'); },

  // One write at a time, and in Node's thread pool: a pipe that nobody reads holds up neither the event loop nor
  // more than one thread. Not a stream: that would set O_NONBLOCK on a pipe shared with other processes.
  tell(line) {
    if (this.fd === null || this.lines.length >= 16) return;
    this.lines.push(line + '\n');
    if (!this.writing) this.flush();
  },
  flush() {
    this.writing = this.lines.length > 0;
    // An error means that the supervisor is away. That is no reason to stop working.
    if (this.writing) write(this.fd, this.lines.splice(0).join(''), () => this.flush());
  },
};

function* primes() {
  for (let number = 2; ; ++number) {
    let divisor = 2;
    while (divisor * divisor <= number && number % divisor !== 0) ++divisor;
    if (divisor * divisor > number) yield number;
  }
}

let found = 0;
const source = primes();

// A timer beats for the event loop: it falls silent when the loop is blocked, which is how most Node programs hang.
// A program that can get stuck elsewhere, say on a promise that never settles, should beat when a request is done.
function work() {
  const prime = source.next().value;
  if (++found % 10 === 0) console.log(`node: prime number ${found} is ${prime}`);
  supervisor.status(`${found} primes, the last is ${prime}`);
  supervisor.beat();
}

const pause = supervisor.interval(1000);
const timer = setInterval(work, pause);

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => {
    // With the timer gone nothing keeps the event loop, and Node exits once the last write is done.
    clearInterval(timer);
    supervisor.stopping();
    console.log(`node: asked to end after ${found} primes`);
  });
}

console.log(`node: started, a prime number every ${pause / 1000} s`);
supervisor.ready();
work();
