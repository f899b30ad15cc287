// confabctl message: post and list. Following a room stands in message_tail.cc, edit and delete in
// message_change.cc.
#include <algorithm>
#include <istream>
#include <iterator>
#include <memory>
#include <optional>
#include <ostream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "tools/confabctl/command_line.h"
#include "tools/confabctl/control_client.h"
#include "tools/confabctl/listing.h"
#include "tools/confabctl/message_change.h"
#include "tools/confabctl/message_tail.h"
#include "tools/confabctl/output.h"
#include "tools/confabctl/time_option.h"

namespace confab::ctl {
namespace {

using MessageStub = v1::MessageService::Stub;

constexpr uint32_t kPageLimit = 500;    // The most that one answer may hold.
constexpr uint32_t kListLimit = 10000;  // Held in memory until printed.

struct PostOptions {
  std::string room;
  std::string text;
  std::string user;
  std::string name;
  std::string key;
  std::string type;
  std::string reply_to;
  std::string body;
  std::vector<std::string> mentions;
};

struct ListOptions {
  std::string room;
  std::optional<int64_t> before;
  std::optional<int64_t> after;
  std::string since;
  std::string until;
  uint32_t limit = 50;

  bool is_forward() const { return after.has_value() || !since.empty(); }
};

Exit Post(Invocation& run, const PostOptions& options) {
  if (!options.name.empty() && options.user.empty()) {
    return run.Fail(Exit::kUsage, "--name goes with --as USER");
  }
  v1::PostMessageRequest request;
  request.set_room_id(options.room);
  request.set_content(options.text);
  if (options.text == "-") {
    std::string text{std::istreambuf_iterator<char>(run.streams.in), {}};
    if (!text.empty() && text.back() == '\n') text.pop_back();
    if (!IsUtf8(text)) return run.Fail(Exit::kUsage, "standard input is not valid UTF-8");
    request.set_content(text);
  }
  if (!options.user.empty()) {
    request.mutable_sender()->set_id(options.user);
    request.mutable_sender()->set_name(options.name);
  }
  request.set_idempotency_key(options.key);
  request.set_type(options.type);
  request.set_reply_to(options.reply_to);
  request.set_body_json(options.body);
  for (const std::string& user : options.mentions) request.add_mentions(user);
  Exit exit = Exit::kDone;
  const auto client = ControlClient::Open(run, &exit);
  if (client == nullptr) return exit;
  v1::PostMessageResponse response;
  exit = client->Call(client->messages(), &MessageStub::PostMessage, request, &response);
  if (exit != Exit::kDone) return exit;
  if (run.is_json) {
    run.streams.out << ToJson(response) << '\n';
  } else {
    run.streams.out << fmt::format("posted as seq {} ({})\n", response.seq(),
                                   response.message_id());
  }
  return Exit::kDone;
}

// Takes pages until the limit or the end; `list` holds them in ascending seq.
Exit ReadPages(const ControlClient& client, v1::MessageService::Stub& stub,
               const ListOptions& options, v1::ListEventsResponse* list) {
  v1::ListEventsRequest request;
  request.set_room_id(options.room);
  if (options.before.has_value()) request.set_before_seq(*options.before);
  if (options.after.has_value()) request.set_after_seq(*options.after);
  if (!options.since.empty()) *request.mutable_since() = TimeOf(options.since);
  if (!options.until.empty()) *request.mutable_until() = TimeOf(options.until);
  const bool is_forward = options.is_forward();
  do {
    const auto held = static_cast<uint32_t>(list->events_size());
    request.set_limit(std::min(kPageLimit, options.limit - held));
    v1::ListEventsResponse page;
    const Exit exit = client.Call(stub, &MessageStub::ListEvents, request, &page);
    if (exit != Exit::kDone) return exit;
    if (!is_forward) page.mutable_events()->MergeFrom(list->events());
    if (is_forward) {
      list->mutable_events()->MergeFrom(page.events());
    } else {
      list->mutable_events()->Swap(page.mutable_events());
    }
    list->set_more(page.more());
    list->set_last_seq(page.last_seq());
    if (list->events_size() == 0) break;
    request.clear_since();
    request.clear_until();
    if (is_forward) {
      request.set_after_seq(list->events(list->events_size() - 1).seq());
    } else {
      request.set_before_seq(list->events(0).seq());
    }
  } while (list->more() && static_cast<uint32_t>(list->events_size()) < options.limit);
  return Exit::kDone;
}

Exit List(Invocation& run, const ListOptions& options) {
  Exit exit = Exit::kDone;
  const auto client = ControlClient::Open(run, &exit);
  if (client == nullptr) return exit;
  v1::ListEventsResponse list;
  exit = ReadPages(*client, client->messages(), options, &list);
  if (exit != Exit::kDone) return exit;
  if (run.is_json) {
    if (run.is_jsonl) {
      PrintLines(run, list.events());
    } else {
      run.streams.out << ToJson(list) << '\n';
    }
    return Exit::kDone;
  }
  Table table({"SEQ", "TIME", "FROM", "EVENT"});
  for (const v1::Event& event : list.events()) {
    table.Add(
        {std::to_string(event.seq()), Show(event.created_at()), ActorOf(event), Describe(event)});
  }
  table.Print(run.streams.out);
  if (list.more() && list.events_size() > 0) {
    run.streams.err << (options.is_forward()
                            ? fmt::format("more: --after {}\n",
                                          list.events(list.events_size() - 1).seq())
                            : fmt::format("older: --before {}\n", list.events(0).seq()));
  }
  return Exit::kDone;
}

void AddPost(CLI::App& noun, Invocation& run) {
  auto options = std::make_shared<PostOptions>();
  CLI::App* verb =
      noun.add_subcommand("post", "Posts a message, as the system unless --as is given");
  verb->add_option("ROOM", options->room, "The room's id")->required();
  verb->add_option("TEXT", options->text,
                   "What to say; - reads it from standard input. May be missing beside --body");
  verb->add_option("--as", options->user, "Post as this user, who must be a member that may post");
  verb->add_option("--name", options->name, "The user's display name");
  verb->add_option("--key", options->key,
                   "Idempotency key: the same room, sender and key is one message, however often "
                   "it is posted");
  verb->add_option("--type", options->type,
                   "A word of at most 32 bytes (text; not for the system)");
  verb->add_option("--reply-to", options->reply_to, "Id of the message this answers");
  verb->add_option("--body", options->body, "A JSON value beside the text, or in its place");
  verb->add_option("--mention", options->mentions, "User ids the message is about: a,b,c")
      ->delimiter(',')
      ->allow_extra_args(false);
  verb->footer(
      "Examples:\n"
      "  confabctl message post lobby 'The server restarts at noon'\n"
      "  confabctl message post lobby hello --as ann --name Ann\n"
      "  confabctl message post lobby 'Build 17 is out' --key build-17\n"
      "  confabctl message post lobby --body '{\"poll\": [\"tea\", \"coffee\"]}'\n"
      "  fortune | confabctl message post lobby -");
  verb->callback(
      [options, &run] { run.verb = [options](Invocation& r) { return Post(r, *options); }; });
}

void AddList(CLI::App& noun, Invocation& run) {
  auto options = std::make_shared<ListOptions>();
  CLI::App* verb = noun.add_subcommand("list", "Lists a room's newest events, oldest first");
  verb->add_option("ROOM", options->room, "The room's id")->required();
  CLI::Option* before =
      verb->add_option("--before", options->before, "Only events before this seq")->check(IsSeq);
  verb->add_option("--after", options->after, "Only events after this seq, from the oldest on")
      ->check(IsSeq)
      ->excludes(before);
  CLI::Option* since =
      verb->add_option("--since", options->since,
                       "Only events of this time or later, from the oldest on: RFC 3339, or 2h for "
                       "two hours ago")
          ->check(IsTimeOrAge)
          ->excludes(before)
          ->excludes("--after");
  verb->add_option("--until", options->until, "Only events before this time")
      ->check(IsTimeOrAge)
      ->excludes(before)
      ->excludes("--after")
      ->excludes(since);
  verb->add_option("--limit", options->limit, "At most so many")
      ->check(CLI::Range(1U, kListLimit))
      ->capture_default_str();
  verb->footer(
      "Examples:\n"
      "  confabctl message list lobby\n"
      "  confabctl message list lobby --after 0 --limit 1000\n"
      "  confabctl message list lobby --since 2h\n"
      "  confabctl message list lobby -o json | jq -r '.events[].messagePosted.content'");
  verb->callback(
      [options, &run] { run.verb = [options](Invocation& r) { return List(r, *options); }; });
}

}  // namespace

void AddMessageVerbs(CLI::App& app, Invocation& run) {
  CLI::App* noun = AddNoun(app, "message", "Posts, changes, lists and follows messages");
  AddPost(*noun, run);
  AddMessageChangeVerbs(*noun, run);
  AddList(*noun, run);
  AddMessageTailVerb(*noun, run);
}

}  // namespace confab::ctl
