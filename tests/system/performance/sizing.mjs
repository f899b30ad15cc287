// sizing.mjs: what a core buys, and how many a deployment needs, from what was measured. Pure.
import { median, shown } from './figures.mjs';

const HOUR_S = 3_600;
const MILLION = 1e6;
const MIB_PER_KIB = 1 / 1_024;

// What sizing is made of: median of a figure by "ROW/FIGURE", NaN where it was not measured.
export function costsFrom(figure) {
  return {
    alone: figure('fanout-1000/edge'), // s per 1M deliveries, one message at a time.
    piped: figure('pipelined-1000/edge'),
    pairs: figure('pairs/cpu'), // s per 1M stored messages with 2 deliveries each.
    chat: figure('chat/cpu'),
    handshake: figure('handshake/cpu'), // ms.
    idle: figure('idle-5000/cpu'), // s per 1,000 connections and hour.
    rss: figure('idle-19000/rss'), // KiB.
  };
}

// [what, how many one core does], of what was measured.
export function bought(costs) {
  const perCore = (cost, units) => units / cost;
  return [
    ['deliveries a second, in a large room, one message at a time', perCore(costs.alone, MILLION)],
    ['the same with messages behind one another', perCore(costs.piped, MILLION)],
    ['stored messages a second, people writing at their own pace', perCore(costs.chat, MILLION)],
    ['the same where they come so fast that many are stored at once', perCore(costs.pairs, MILLION)],
    ['handshakes a second', perCore(costs.handshake, 1_000)],
    ['idle connections', perCore(costs.idle, 1_000 * HOUR_S)],
  ].filter(([, count]) => Number.isFinite(count));
}

// Cores that a deployment keeps busy, all processes together. Per second: messages, deliveries,
// handshakes; connections at a time.
export function coresFor(costs, { messages, deliveries, handshakes, connections }) {
  // Two deliveries of each message are in its own cost.
  const beyond = Math.max(0, deliveries - 2 * messages);
  return (
    (messages * costs.chat + beyond * costs.alone) / MILLION +
    (handshakes * costs.handshake) / 1_000 +
    (connections * costs.idle) / (1_000 * HOUR_S)
  );
}

export const mibFor = (costs, { connections }) => connections * costs.rss * MIB_PER_KIB;

const EXAMPLES = [
  {
    what: '10,000 people in small groups: 300 messages a second, 10 readers each',
    messages: 300,
    deliveries: 3_000,
    handshakes: 10,
    connections: 10_000,
  },
  {
    what: '50,000 viewers of one event: 5 messages a second for all',
    messages: 5,
    deliveries: 250_000,
    handshakes: 100,
    connections: 50_000,
  },
  {
    what: '100,000 connections that mostly wait: 100 messages a second, 5 readers each',
    messages: 100,
    deliveries: 500,
    handshakes: 100,
    connections: 100_000,
  },
];

// Lines of Markdown; none where nothing that sizing needs was measured.
export function sizingLines(figureMedian) {
  const costs = costsFrom(figureMedian);
  const core = bought(costs);
  if (core.length === 0) return [];
  const lines = ['### What a core buys', ''];
  lines.push('| of one core of this machine, fully used |  |', '|---|---|');
  for (const [what, count] of core) lines.push(`| ${what} | ${shown(count)} |`);
  if (Number.isFinite(costs.rss))
    lines.push(`| (connections of an edge in 1 GiB) | ${shown(2 ** 20 / costs.rss)} |`);
  if (!Object.values(costs).every(Number.isFinite)) return [...lines, ''];
  lines.push('', 'By the formulae above, on this machine:', '');
  lines.push('| deployment | cores kept busy | memory of the edges |', '|---|---|---|');
  for (const example of EXAMPLES) {
    const cores = shown(coresFor(costs, example));
    lines.push(`| ${example.what} | ${cores} | ${shown(mibFor(costs, example))} MiB |`);
  }
  return [...lines, ''];
}

export const medianOf = (points) => (points?.length > 0 ? median(points[0].values) : NaN);
