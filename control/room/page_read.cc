#include "control/room/page_read.h"

#include <chrono>
#include <cstddef>
#include <utility>
#include <variant>

#include <absl/status/statusor.h>

#include "control/room/room_refusals.h"
#include "process/metrics.h"
#include "storage/records.h"

namespace confab::control {

namespace {

using Command = std::unique_ptr<RoomCommand>;
using storage::EventPage;

// Of everybody who comes back the next page is asked; those of services and those backward are few.
bool IsShared(const RoomCommand& command) {
  return std::get<ReadRequest>(command.request).query.after_seq >= 0 &&
         std::holds_alternative<EdgeReply>(command.reply);
}

template <typename Page, typename Place>
void Give(Command command, absl::StatusOr<Page> page, Place ReadRequest::*place, PageDone& done) {
  if (page.ok()) std::get<ReadRequest>(command->request).*place = *std::move(page);
  done(std::move(command), page.status());
}

void ReadShared(Command command, LogReader& reader, PageDone done) {
  const storage::EventQuery& query = std::get<ReadRequest>(command->request).query;
  const LogReader::Wanted wanted = {
      query.after_seq,
      {static_cast<size_t>(query.limit), static_cast<size_t>(query.bytes_limit)},
      ReadShare::kPages,
      command->deadline,
      command->edge};
  reader.Read(wanted, [command = std::move(command),
                       done = std::move(done)](absl::StatusOr<SharedPage> page) mutable {
    Give(std::move(command), std::move(page), &ReadRequest::shared, done);
  });
}

}  // namespace

void ReadPageOf(Command command, LogReader& reader, LaneTools& tools, PageDone done) {
  if (IsShared(*command)) return ReadShared(std::move(command), reader, std::move(done));
  // Read before the command is moved.
  const storage::EventQuery query = std::get<ReadRequest>(command->request).query;
  const auto deadline = command->deadline;
  ReadStore(
      tools,
      [query, deadline,
       &reads = tools.log_reads.store](storage::Store& store) -> absl::StatusOr<EventPage> {
        // Whoever asked has given up: the reader is free for the next.
        if (deadline <= std::chrono::steady_clock::now()) return TooLate();
        reads.Add();
        return store.ReadEvents(query);
      },
      [command = std::move(command),
       done = std::move(done)](absl::StatusOr<EventPage> page) mutable {
        Give(std::move(command), std::move(page), &ReadRequest::page, done);
      },
      ReadShare::kPages);
}

}  // namespace confab::control
