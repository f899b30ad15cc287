// goals.mjs: what a figure is to reach, and whether it does. A figure of a row is {name, what, unit,
// goals?}; what was measured of it is a list of points [{x, values}], one whose x is null unless the
// row tells its figures over sizes. Pure.
import { median, riseOf, shown, spread } from './figures.mjs';

export const atMost = (value) => ({ kind: 'atMost', value });
export const atLeast = (value) => ({ kind: 'atLeast', value });
// So many times what that peer takes, as the file of peers says.
export const ofPeer = (peer, value) => ({ kind: 'ofPeer', peer, value });
// The word for "does not grow": from any size to a larger one it rises by less than that.
export const flat = (value = 1.3) => ({ kind: 'flat', value });

export function goalText({ kind, value, peer }) {
  if (kind === 'atMost') return `≤ ${shown(value)}`;
  if (kind === 'atLeast') return `≥ ${shown(value)}`;
  if (kind === 'ofPeer') return `≤ ${shown(value)} × ${peer}`;
  return `rises ≤ ${shown(value)} ×`;
}

const peerNamed = (peers, name) => peers.find(({ peer }) => peer === name);

// How the median stands to a peer's.
export const ratioTo = (points, { values }) => median(points[0].values) / median(values);

// True, false, or null where there is nothing to compare with. `peers`: what others take, [{peer,
// values}].
export function isReached(goal, points, peers = []) {
  const medians = points.map(({ values }) => median(values));
  if (goal.kind === 'atMost') return medians.every((value) => value <= goal.value);
  if (goal.kind === 'atLeast') return medians.every((value) => value >= goal.value);
  if (goal.kind === 'flat') return points.length < 2 ? null : riseOf(points) <= goal.value;
  const peer = peerNamed(peers, goal.peer);
  return peer === undefined ? null : ratioTo(points, peer) <= goal.value;
}

// Of all goals of a figure: "yes", "no", "not compared", or nothing where there is none.
export function verdict({ goals = [] }, points, peers) {
  const all = goals.map((goal) => isReached(goal, points, peers));
  if (all.includes(false)) return 'no';
  if (all.includes(null)) return 'not compared';
  return all.length > 0 ? 'yes' : '';
}

// "1,000: 1.83 (1.7–1.9), 10,000: …", or without sizes the one.
export function pointsText(points) {
  const one = ({ x, values }) => (x === null ? '' : `${shown(x)}: `) + spread(values);
  return points.map(one).join(', ');
}
