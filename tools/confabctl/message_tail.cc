#include "tools/confabctl/message_tail.h"

#include <memory>
#include <optional>
#include <ostream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "tools/confabctl/control_client.h"
#include "tools/confabctl/follow.h"
#include "tools/confabctl/interrupt.h"
#include "tools/confabctl/output.h"

namespace confab::ctl {
namespace {

struct TailOptions {
  std::string room;
  std::optional<int64_t> after;
  uint64_t count = 0;  // 0: until it is interrupted.
};

// The room's newest seq: where a tail without --after starts, so that it can go on from there
// should control go away before the first event.
Exit ReadLastSeq(ControlClient& client, const std::string& room, int64_t* last_seq) {
  v1::ListEventsRequest request;
  request.set_room_id(room);
  request.set_limit(1);
  v1::ListEventsResponse page;
  const Exit exit =
      client.Call(client.messages(), &v1::MessageService::Stub::ListEvents, request, &page);
  *last_seq = page.last_seq();
  return exit;
}

class Follower {
 public:
  Follower(Invocation& run, const TailOptions& options, ControlClient& client, Interrupt& interrupt,
           int64_t position)
      : run_(run),
        options_(options),
        client_(client),
        following_(run, client, interrupt, options.count),
        position_(position) {}

  Exit Follow() {
    return following_.Run([this](grpc::ClientContext& context) { return ReadStream(context); },
                          [this] { return fmt::format("going on behind seq {}", position_); });
  }

 private:
  grpc::Status ReadStream(grpc::ClientContext& context) {
    v1::TailEventsRequest request;
    request.set_room_id(options_.room);
    request.set_after_seq(position_);
    const auto stream = client_.messages().TailEvents(&context, request);
    v1::TailEventsResponse batch;
    while (!following_.is_done() && stream->Read(&batch)) {
      for (const v1::Event& event : batch.events()) {
        Print(event);
        if (following_.is_done()) break;
      }
      run_.streams.out.flush();
    }
    if (following_.is_done()) context.TryCancel();
    return stream->Finish();
  }

  void Print(const v1::Event& event) {
    if (run_.is_json) {
      run_.streams.out << ToJson(event) << '\n';
    } else {
      run_.streams.out << fmt::format("{}  {}  {}: {}\n", event.seq(), Show(event.created_at()),
                                      ActorOf(event), Describe(event));
    }
    position_ = event.seq();
    following_.Shown();
  }

  Invocation& run_;
  const TailOptions& options_;
  ControlClient& client_;
  Following following_;
  int64_t position_;
};

Exit FollowRoom(Invocation& run, const TailOptions& options) {
  Interrupt interrupt;
  Exit exit = Exit::kDone;
  const auto client = ControlClient::Open(run, &exit);
  if (client == nullptr) return exit;
  int64_t last_seq = 0;
  exit = ReadLastSeq(*client, options.room, &last_seq);
  if (exit != Exit::kDone) return interrupt.came() ? Exit::kDone : exit;
  return Follower(run, options, *client, interrupt, options.after.value_or(last_seq)).Follow();
}

}  // namespace

void AddMessageTailVerb(CLI::App& noun, Invocation& run) {
  auto options = std::make_shared<TailOptions>();
  CLI::App* verb = noun.add_subcommand(
      "tail", "Follows a room until Ctrl-C, also over a restart of control; exits with 0");
  verb->add_option("ROOM", options->room, "The room's id")->required();
  verb->add_option("--after", options->after,
                   "First what came after this seq; 0: from the beginning. Else only what is new")
      ->check(IsSeq);
  verb->add_option("--count", options->count, "End after so many events")
      ->check(CLI::PositiveNumber);
  verb->footer(
      "With -o json each event is one line.\n"
      "\nExamples:\n"
      "  confabctl message tail lobby\n"
      "  confabctl message tail lobby --after 0 --count 10\n"
      "  confabctl message tail lobby -o json | jq --unbuffered -r .messagePosted.content");
  verb->callback(
      [options, &run] { run.verb = [options](Invocation& r) { return FollowRoom(r, *options); }; });
}

}  // namespace confab::ctl
