// listing.h: what a verb that lists prints: a table, one JSON object, or an object a line (-o).
// Owns: what was added.   Used by: the verbs.
// Threads: caller serialises.
// Fails: not.
#pragma once

#include <string>
#include <vector>

#include <google/protobuf/message.h>

#include "tools/confabctl/command_line.h"
#include "tools/confabctl/control_client.h"
#include "tools/confabctl/output.h"

namespace confab::ctl {

inline constexpr uint32_t kPageSize = 1000;  // The most that one answer may hold.

class Listing {
 public:
  // `name`: what JSON calls the list, as the call's response does.
  Listing(Invocation& run, std::string name, std::vector<std::string> headers);

  // With -o jsonl it is printed at once.
  void Add(const google::protobuf::Message& item, std::vector<std::string> row);
  void Add(const std::string& json, std::vector<std::string> row);

  // Prints what was added; nothing may be added afterwards.
  void End();

 private:
  Invocation& run_;
  const std::string name_;
  Table table_;
  std::string json_;
};

// Calls take(page) for every page of a list, until that says false; `request` asks for the first.
//   ForEachPage(*client, client->rooms(), &Stub::ListRooms, request, take)
template <typename Stub, typename Request, typename Response, typename Take>
Exit ForEachPage(const ControlClient& client, Stub& stub,
                 grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                 Request request, const Take& take) {
  request.set_page_size(kPageSize);
  Response page;
  do {
    const Exit exit = client.Call(stub, method, request, &page);
    if (exit != Exit::kDone) return exit;
    if (!take(page)) break;
    request.set_page_token(page.next_page_token());
  } while (!page.next_page_token().empty());
  return Exit::kDone;
}

// An object a line, for verbs whose -o json says more than the list.
template <typename Items>
void PrintLines(const Invocation& run, const Items& items) {
  for (const auto& item : items) run.streams.out << ToJson(item) << '\n';
}

}  // namespace confab::ctl
