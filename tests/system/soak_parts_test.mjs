// soak_parts_test.mjs: what the soak is judged by: slopes, series of processes, the order of faults.
import assert from 'node:assert/strict';
import test from 'node:test';

import { MemoryWatch } from '../support/memory_watch.mjs';
import { randomOf } from '../support/random.mjs';
import { slopeOf } from '../support/trend.mjs';
import { FaultOrder } from './faults/soak_faults.mjs';

const MIB = 1024 * 1024;

test('a slope is that of the line through all points', () => {
  const near = (points, slope) => assert.ok(Math.abs(slopeOf(points) - slope) < 1e-9);
  near([[0, 5], [1, 7], [2, 9]], 2);
  near([[10, 3], [20, 3], [30, 3]], 0);
  near([[0, 0], [1, 3], [2, 0], [3, 3]], 0.6);
  // Late in the day: nothing is lost between large numbers.
  near([[1e9, 1], [1e9 + 1, 2]], 1);
  assert.ok(Number.isNaN(slopeOf([])));
  assert.ok(Number.isNaN(slopeOf([[1, 1]])));
});

test('memory is watched by process: one that is started anew begins a new series', () => {
  const server = { pid: 1, running: true };
  const bytes = { 1: 10 * MIB, 2: 50 * MIB };
  let minute = 0;
  const watch = new MemoryWatch(server, {
    read: (pid) => bytes[pid],
    now: () => minute++ * 60_000,
  });
  for (let i = 0; i < 5; ++i, bytes[1] += MIB / 10) watch.sample();
  assert.ok(Math.abs(watch.growth - 1) < 1e-9, 'a tenth of a MiB a minute');
  assert.ok(watch.isSame);

  server.running = false;
  watch.sample();
  assert.ok(Number.isNaN(watch.mib));
  assert.ok(!watch.isSame);
  Object.assign(server, { pid: 2, running: true });
  assert.ok(!watch.isSame);
  for (let i = 0; i < 3; ++i) watch.sample();
  assert.equal(watch.points.length, 3);
  assert.equal(watch.growth, 0);
});

test('each fault strikes once, those that end a watched process first; then others are drawn', () => {
  const drawn = (seed, count) => {
    const order = new FaultOrder(randomOf(seed));
    return Array.from({ length: count }, () => order.next().name);
  };
  const { length } = new FaultOrder(randomOf(1)).firstRound;
  const names = drawn(1, 3 * length);
  const first = names.slice(0, length);
  const ending = ['control is killed', 'the edge is killed', 'control is restarted'];

  assert.equal(new Set(first).size, length);
  assert.deepEqual(first.slice(0, ending.length).sort(), ending.sort());
  for (const name of names.slice(ending.length)) assert.ok(!ending.includes(name), name);
  assert.deepEqual(drawn(1, 3 * length), names, 'the same seed, the same faults');
  assert.notDeepEqual(drawn(2, 3 * length), names);
});
