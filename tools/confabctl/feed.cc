// confabctl feed: follows the events of all rooms, and shows who else does.
#include <memory>
#include <ostream>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "confab/v1/event_feed_service.grpc.pb.h"

#include "tools/confabctl/command_line.h"
#include "tools/confabctl/confirm.h"
#include "tools/confabctl/control_client.h"
#include "tools/confabctl/follow.h"
#include "tools/confabctl/interrupt.h"
#include "tools/confabctl/listing.h"
#include "tools/confabctl/output.h"

namespace confab::ctl {
namespace {

using FeedStub = v1::EventFeedService::Stub;

struct TailOptions {
  std::string consumer;
  std::string after;
  bool from_start = false;
  bool stops_at_end = false;
  bool commits = false;
  uint64_t count = 0;  // 0: until it is interrupted.
};

class FeedTail {
 public:
  FeedTail(Invocation& run, const TailOptions& options, ControlClient& client, Interrupt& interrupt)
      : run_(run),
        options_(options),
        client_(client),
        following_(run, client, interrupt, options.count),
        stub_(v1::EventFeedService::NewStub(client.channel())),
        position_(options.after) {}

  Exit Follow() {
    const Exit exit =
        following_.Run([this](grpc::ClientContext& context) { return ReadStream(context); },
                       [] { return std::string("going on"); });
    return exit == Exit::kDone ? exit_ : exit;
  }

 private:
  grpc::Status ReadStream(grpc::ClientContext& context) {
    v1::ReadFeedRequest request;
    request.set_consumer(options_.consumer);
    request.set_after_position(position_);
    request.set_start_at_end(!options_.from_start);
    request.set_stop_at_end(options_.stops_at_end);
    const auto stream = stub_->ReadFeed(&context, request);
    v1::ReadFeedResponse page;
    while (!following_.is_done() && stream->Read(&page)) Take(page);
    if (following_.is_done()) context.TryCancel();
    return stream->Finish();
  }

  void Take(const v1::ReadFeedResponse& page) {
    for (const v1::FeedEvent& event : page.events()) Print(event);
    // What stands nowhere is not to be counted as read.
    if (!run_.streams.out.flush()) {
      exit_ = run_.Fail(Exit::kRefused, "standard output takes nothing more");
      return following_.Stop();
    }
    position_ = page.position();
    if (!options_.commits) return;
    v1::CommitFeedCursorRequest commit;
    commit.set_consumer(options_.consumer);
    commit.set_position(position_);
    v1::CommitFeedCursorResponse committed;
    // Said if it fails; the events come again then, if no later one makes it good.
    exit_ = client_.Call(*stub_, &FeedStub::CommitFeedCursor, commit, &committed);
  }

  void Print(const v1::FeedEvent& fed) {
    const v1::Event& event = fed.event();
    if (run_.is_json) {
      run_.streams.out << ToJson(fed) << '\n';
    } else {
      run_.streams.out << fmt::format("{}  {}  {}  {}: {}\n", Printable(event.room_id()),
                                      event.seq(), Show(event.created_at()), ActorOf(event),
                                      Describe(event));
    }
    following_.Shown();
  }

  Invocation& run_;
  const TailOptions& options_;
  ControlClient& client_;
  Following following_;
  const std::unique_ptr<FeedStub> stub_;
  std::string position_;
  Exit exit_ = Exit::kDone;  // Of what was shown and committed last.
};

Exit Tail(Invocation& run, const TailOptions& options) {
  if (options.commits && options.consumer.empty()) {
    return run.Fail(Exit::kUsage, "--commit goes with --consumer NAME");
  }
  Interrupt interrupt;
  Exit exit = Exit::kDone;
  const auto client = ControlClient::Open(run, &exit);
  if (client == nullptr) return exit;
  exit = client->Probe();
  if (exit != Exit::kDone) return interrupt.came() ? Exit::kDone : exit;
  return FeedTail(run, options, *client, interrupt).Follow();
}

Exit List(Invocation& run) {
  Exit exit = Exit::kDone;
  const auto client = ControlClient::Open(run, &exit);
  if (client == nullptr) return exit;
  const auto stub = v1::EventFeedService::NewStub(client->channel());
  v1::ListFeedConsumersResponse list;
  exit = client->Call(*stub, &FeedStub::ListFeedConsumers, v1::ListFeedConsumersRequest(), &list);
  if (exit != Exit::kDone) return exit;
  Listing listing(run, "consumers", {"CONSUMER", "POSITION", "COMMITTED"});
  for (const v1::FeedConsumer& consumer : list.consumers()) {
    listing.Add(consumer, {Printable(consumer.consumer()), Printable(consumer.position()),
                           Show(consumer.committed_at())});
  }
  listing.End();
  return Exit::kDone;
}

Exit Forget(Invocation& run, const std::string& consumer, bool is_yes) {
  if (!Confirm(run, is_yes,
               fmt::format("Forget consumer {} and how far it has come?", Printable(consumer)))) {
    return Exit::kUsage;
  }
  Exit exit = Exit::kDone;
  const auto client = ControlClient::Open(run, &exit);
  if (client == nullptr) return exit;
  const auto stub = v1::EventFeedService::NewStub(client->channel());
  v1::DeleteFeedConsumerRequest request;
  request.set_consumer(consumer);
  v1::DeleteFeedConsumerResponse response;
  exit = client->Call(*stub, &FeedStub::DeleteFeedConsumer, request, &response);
  if (exit != Exit::kDone) return exit;
  run.streams.out << (run.is_json ? ToJson(response) + "\n" : "forgotten\n");
  return Exit::kDone;
}

void AddTail(CLI::App& noun, Invocation& run) {
  auto options = std::make_shared<TailOptions>();
  CLI::App* verb = noun.add_subcommand(
      "tail", "Follows the events of all rooms until Ctrl-C, also over a restart of control");
  verb->add_option("--consumer", options->consumer, "Start behind this consumer's cursor");
  verb->add_flag("--commit", options->commits, "Move the cursor behind what was shown");
  CLI::Option* after =
      verb->add_option("--after", options->after, "Start behind this position instead");
  verb->add_flag("--from-start", options->from_start,
                 "Without a cursor: first everything that is there. Else only what is new")
      ->excludes(after);
  verb->add_flag("--stop", options->stops_at_end, "End where there is nothing more");
  verb->add_option("--count", options->count,
                   "End after so many events, and the rest of their page")
      ->check(CLI::PositiveNumber);
  verb->footer(
      "With -o json each event is one line.\n"
      "\nExamples:\n"
      "  confabctl feed tail\n"
      "  confabctl feed tail --from-start --stop -o json > everything.jsonl\n"
      "  confabctl feed tail --consumer search --commit --from-start");
  verb->callback(
      [options, &run] { run.verb = [options](Invocation& r) { return Tail(r, *options); }; });
}

}  // namespace

void AddFeedVerbs(CLI::App& app, Invocation& run) {
  CLI::App* noun = AddNoun(app, "feed", "Follows the events of all rooms");
  AddTail(*noun, run);
  CLI::App* list = noun->add_subcommand("list", "Lists the consumers that have a cursor");
  list->footer("Examples:\n  confabctl feed list");
  list->callback([&run] { run.verb = List; });
  struct ForgetOptions {
    std::string consumer;
    bool is_yes = false;
  };
  auto options = std::make_shared<ForgetOptions>();
  CLI::App* forget = noun->add_subcommand("forget", "Forgets a consumer and its cursor");
  forget->add_option("CONSUMER", options->consumer, "The consumer's name")->required();
  AddYes(*forget, &options->is_yes);
  forget->footer("Examples:\n  confabctl feed forget search");
  forget->callback([options, &run] {
    run.verb = [options](Invocation& r) { return Forget(r, options->consumer, options->is_yes); };
  });
}

}  // namespace confab::ctl
