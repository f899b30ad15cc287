// evening_watchers.mjs: who follows the rooms of an evening without being a user: a service over
// gRPC, and `confabctl message tail`.
import readline from 'node:readline';

import { clientEventOf } from '../support/client_events.mjs';
import { RoomView } from '../support/room_view.mjs';
import { until } from '../support/until.mjs';

const TIMEOUT = '300S'; // Longer than an evening.

// A service follows each room, confabctl one in four.
export function watch(evening, room) {
  const { cluster, rooms, watchers } = evening;
  const view = new RoomView();
  watchers.set(`the service that follows ${room}`, { room, view });
  follow(evening.grpc, room, view).catch((error) => evening.faults.push(String(error.stack)));
  if (rooms.indexOf(room) % 4 !== 0) return;
  const printed = new RoomView();
  watchers.set(`confabctl message tail ${room}`, { room, view: printed });
  const { child } = cluster.ctlProcess('message', 'tail', room, '--after', '0', '-o', 'json');
  readline
    .createInterface({ input: child.stdout })
    .on('line', (line) => printed.add(clientEventOf(JSON.parse(line))));
}

// Until the client is closed; where control goes, on from the last event.
async function follow(grpc, roomId, view) {
  const tailed = (afterSeq) =>
    grpc.stream('MessageService/TailEvents', { roomId, afterSeq }, { timeout: TIMEOUT });
  const answers = () => grpc.call('RoomService/GetRoom', { roomId }).catch(() => null);
  for (;;) {
    try {
      for await (const { events } of tailed(view.last))
        for (const event of events) view.add(clientEventOf(event));
    } catch (error) {
      if (!error.isLost) throw error;
      if (grpc.isClosed) return;
      await until('control is there again', answers, 60_000);
    }
  }
}
