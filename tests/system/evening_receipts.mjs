// evening_receipts.mjs: the last thing of an evening: everybody reads a room to its end, and the
// others there, and the reader's other device, are told how far.
import { until } from '../support/until.mjs';

export async function readToTheEnd(evening, { logs }) {
  const readings = [];
  for (const user of evening.users) {
    const { rooms } = await evening.grpc.call('RoomService/ListRooms', { userId: user });
    // Where there is something left: a pointer that does not move is not told.
    const room = rooms.find(({ id, readSeq }) => readSeq < logs.get(id).length)?.id;
    if (room === undefined) continue;
    const seq = logs.get(room).length;
    const [phone] = evening.devices.get(user);
    const answer = await phone.ask('markRead', { roomId: room, seq });
    evening.books.mark({ room, user, asked: seq }, answer);
    readings.push({ user, phone, room, seq });
  }
  const untold = () =>
    readings.flatMap(({ user, phone, room, seq }) =>
      evening.allDevices
        .filter((device) => device !== phone && device.place(room).isIn)
        .filter((device) => device.place(room).readers.get(user) !== seq)
        .map(({ name }) => `${name} that ${user} has read ${room} to ${seq}`),
    );
  const told = () => untold().length === 0;
  await until('all are told who has read', told, 30_000, () => untold().slice(0, 3).join('; '));
}
