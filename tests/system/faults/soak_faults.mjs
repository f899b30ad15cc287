// soak_faults.mjs: what may happen in a minute of the soak, and in which order it does. Each fault
// lasts as long every time, so that what it costs in memory is the same every time.
import { between } from '../../support/random.mjs';
import { pause } from '../../support/pause.mjs';
import { awaitUnlock, lockTable } from './postgres_faults.mjs';

// Begins, lasts, ends.
const hold = async (ms, begin, end) => {
  await begin();
  await pause(ms);
  await end();
};

const away = (server, signal) => async (world) => {
  const one = server(world);
  const { code } = await one.end(signal);
  if (signal === 'SIGTERM' && code !== 0) throw new Error(`${one.name}: exit ${code} after TERM`);
  one.start();
  return one;
};

const control = ({ cluster }) => cluster.control;
const edge = ({ cluster }) => cluster.edge;
const otherEdge = ({ other }) => other.edge;

const linkFault = (name, begin) => ({
  name,
  strike: ({ cluster: { linkProxy }, hangMs }) =>
    hold(
      hangMs,
      () => begin(linkProxy),
      () => linkProxy.calm(),
    ),
});

const freeze = (name, server) => ({
  name,
  strike: (world) => {
    const one = server(world);
    return hold(
      world.hangMs,
      () => one.freeze(),
      () => one.thaw(),
    );
  },
});

const clientFault = (name, ms, begin) => ({
  name,
  strike: ({ far }) =>
    hold(
      ms,
      () => begin(far.proxy),
      () => far.proxy.calm(),
    ),
});

const restartPostgres = async ({ cluster }, signal) => {
  await cluster.postgres.stop(signal);
  await cluster.postgres.start();
};

const CUT_BACKENDS =
  "select pg_terminate_backend(pid) from pg_stat_activity where backend_type = 'client backend' " +
  'and pid <> pg_backend_pid()';

// strike(world) ends with the fault; resolves with the server that was started again, if one was.
// world: {cluster, other: its second edge, far: its first one behind a proxy, hangMs, awayMs}.
const BENIGN = [
  { name: 'the link is reset', strike: async ({ cluster }) => cluster.linkProxy.reset() },
  { name: 'the link is cut', strike: async ({ cluster }) => cluster.linkProxy.cut() },
  linkFault('the link hangs', (proxy) => proxy.stall()),
  linkFault('what edges say is lost', (proxy) => proxy.swallow('up')),
  linkFault('what control says is lost', (proxy) => proxy.swallow('down')),
  freeze('control is frozen', control),
  freeze('the edge is frozen', edge),
  freeze('the other edge is frozen', otherEdge),
  { name: 'clients are reset', strike: async ({ far }) => far.proxy.reset() },
  clientFault('clients are in a tunnel', 2_000, (proxy) => proxy.stall()),
  clientFault('acks are lost', 2_000, (proxy) => proxy.swallow('down')),
  { name: 'PostgreSQL restarts', strike: (world) => restartPostgres(world, 'SIGINT') },
  { name: 'PostgreSQL restarts at once', strike: (world) => restartPostgres(world, 'SIGQUIT') },
  {
    name: "PostgreSQL's backends are killed",
    strike: async ({ cluster }) => void cluster.postgres.sql(CUT_BACKENDS),
  },
  {
    name: 'PostgreSQL is frozen',
    strike: ({ cluster: { postgres }, awayMs }) =>
      hold(
        awayMs,
        () => postgres.freeze(),
        () => postgres.thaw(),
      ),
  },
  {
    name: 'the table of events is locked',
    strike: async ({ cluster, awayMs }) => {
      await lockTable(awayMs / 1_000)(cluster);
      await awaitUnlock(cluster);
    },
  },
  { name: 'the other edge is killed', strike: away(otherEdge, 'SIGKILL') },
  { name: 'the other edge is restarted', strike: away(otherEdge, 'SIGTERM') },
];
// These end a process whose memory is watched, and come first.
const MORTAL = [
  { name: 'control is killed', strike: away(control, 'SIGKILL') },
  { name: 'the edge is killed', strike: away(edge, 'SIGKILL') },
  { name: 'control is restarted', strike: away(control, 'SIGTERM') },
];

// Every fault once, those that end a watched process before the others; then the others, drawn for
// ever. What each of them takes of memory for a while is taken once by the end of the first round.
export class FaultOrder {
  constructor(random) {
    this.random = random;
    this.firstRound = [...this.#shuffled(MORTAL), ...this.#shuffled(BENIGN)];
    this.drawn = 0;
  }

  next() {
    const place = this.drawn++;
    return this.firstRound[place] ?? BENIGN[between(this.random, 0, BENIGN.length - 1)];
  }

  #shuffled(list) {
    const left = [...list];
    return list.map(() => left.splice(between(this.random, 0, left.length - 1), 1)[0]);
  }
}
