// confabctl room: update, archive, unarchive, read-only, slow-mode.
#include "tools/confabctl/room_update.h"

#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "tools/confabctl/control_client.h"
#include "tools/confabctl/output.h"

namespace confab::ctl {
namespace {

struct UpdateOptions {
  std::string room;
  std::string topic;
  std::string visibility;
  std::string read_only;
  std::string slow_mode;
  std::vector<std::string> set;
  std::vector<std::string> unset;
  bool has_topic = false;
};

// "10s" or "off" in seconds; false: neither.
bool ParseSlowMode(const std::string& text, uint32_t* seconds) {
  absl::Duration pace;
  *seconds = 0;
  if (text == "off") return true;
  if (!ParseTime(text, &pace) || pace < absl::Seconds(1) || pace > absl::Hours(24)) return false;
  *seconds = static_cast<uint32_t>(absl::ToInt64Seconds(pace));
  return true;
}

std::string IsSlowMode(const std::string& text) {
  uint32_t seconds = 0;
  return ParseSlowMode(text, &seconds) ? "" : "give a time such as 10s or 5m, or off";
}

std::string IsEntry(const std::string& text) {
  return text.find('=') == std::string::npos ? "give KEY=VALUE" : "";
}

v1::RoomChanges ChangesOf(const UpdateOptions& options) {
  v1::RoomChanges changes;
  if (options.has_topic) changes.set_topic(options.topic);
  if (options.visibility == "public") changes.set_visibility(v1::ROOM_VISIBILITY_PUBLIC);
  if (options.visibility == "private") changes.set_visibility(v1::ROOM_VISIBILITY_PRIVATE);
  if (!options.read_only.empty()) changes.set_is_read_only(options.read_only == "on");
  uint32_t seconds = 0;
  if (!options.slow_mode.empty() && ParseSlowMode(options.slow_mode, &seconds)) {
    changes.set_slow_mode_seconds(seconds);
  }
  for (const std::string& entry : options.set) {
    const size_t at = entry.find('=');
    (*changes.mutable_set_metadata())[entry.substr(0, at)] = entry.substr(at + 1);
  }
  for (const std::string& key : options.unset) changes.add_remove_metadata(key);
  return changes;
}

Exit Update(Invocation& run, const std::string& room, v1::RoomChanges changes,
            const std::string& done) {
  Exit exit = Exit::kDone;
  const auto client = ControlClient::Open(run, &exit);
  if (client == nullptr) return exit;
  v1::UpdateRoomRequest request;
  request.set_room_id(room);
  *request.mutable_changes() = std::move(changes);
  v1::UpdateRoomResponse response;
  exit = client->Call(client->rooms(), &v1::RoomService::Stub::UpdateRoom, request, &response);
  if (exit != Exit::kDone) return exit;
  if (run.is_json) {
    run.streams.out << ToJson(response.room()) << '\n';
  } else {
    run.streams.out << fmt::format("room {} {}\n", Printable(room), done);
  }
  return Exit::kDone;
}

// A verb that takes a room and makes one change of it.
CLI::App* AddChange(CLI::App& noun, Invocation& run, const std::string& name,
                    const std::string& what, const std::string& examples,
                    const std::shared_ptr<UpdateOptions>& options,
                    void (*set)(const UpdateOptions&, v1::RoomChanges&),
                    std::string (*done)(const UpdateOptions&)) {
  CLI::App* verb = noun.add_subcommand(name, what);
  verb->add_option("ROOM", options->room, "The room's id")->required();
  verb->footer("Examples:\n" + examples);
  verb->callback([options, set, done, &run] {
    run.verb = [options, set, done](Invocation& r) {
      v1::RoomChanges changes;
      set(*options, changes);
      return Update(r, options->room, std::move(changes), done(*options));
    };
  });
  return verb;
}

void AddUpdate(CLI::App& noun, Invocation& run) {
  auto options = std::make_shared<UpdateOptions>();
  CLI::App* verb = noun.add_subcommand("update", "Changes topic, metadata and rules of a room");
  verb->add_option("ROOM", options->room, "The room's id")->required();
  CLI::Option* topic = verb->add_option("--topic", options->topic,
                                        "What the room is about, at most 256 bytes; '' for none");
  verb->add_option("--visibility", options->visibility,
                   "public: whoever joins becomes a member; or private")
      ->check(CLI::IsMember({"public", "private"}));
  verb->add_option("--read-only", options->read_only, "on: only moderators and owners post; or off")
      ->check(CLI::IsMember({"on", "off"}));
  verb->add_option("--slow-mode", options->slow_mode,
                   "How long members wait between two messages: 10s, 5m; or off")
      ->check(CLI::Validator(IsSlowMode, ""));
  verb->add_option("--set", options->set, "KEY=VALUE of the metadata; may be given often")
      ->check(CLI::Validator(IsEntry, ""))
      ->allow_extra_args(false);
  verb->add_option("--unset", options->unset, "KEY of the metadata to remove")
      ->allow_extra_args(false);
  verb->footer(
      "What is not named stays as it is; members see the change at once.\n"
      "\nExamples:\n"
      "  confabctl room update lobby --topic 'Say hello' --visibility public\n"
      "  confabctl room update lobby --set color=red --set game=chess --unset old\n"
      "  confabctl room update news --read-only on");
  verb->callback([options, topic, &run] {
    options->has_topic = topic->count() > 0;
    run.verb = [options](Invocation& r) {
      return Update(r, options->room, ChangesOf(*options), "is as asked");
    };
  });
}

}  // namespace

void AddRoomUpdateVerbs(CLI::App& noun, Invocation& run) {
  AddUpdate(noun, run);
  AddChange(
      noun, run, "archive", "Archives a room: it can be read, and nothing is posted any more",
      "  confabctl room archive project-7", std::make_shared<UpdateOptions>(),
      [](const UpdateOptions&, v1::RoomChanges& changes) { changes.set_is_archived(true); },
      [](const UpdateOptions&) { return std::string("is archived"); });
  AddChange(
      noun, run, "unarchive", "Brings an archived room back",
      "  confabctl room unarchive project-7", std::make_shared<UpdateOptions>(),
      [](const UpdateOptions&, v1::RoomChanges& changes) { changes.set_is_archived(false); },
      [](const UpdateOptions&) { return std::string("is not archived"); });

  auto read_only = std::make_shared<UpdateOptions>();
  AddChange(
      noun, run, "read-only", "Lets only moderators and owners post, or everybody again",
      "  confabctl room read-only news on\n"
      "  confabctl room read-only news off",
      read_only,
      [](const UpdateOptions& options, v1::RoomChanges& changes) {
        changes.set_is_read_only(options.read_only == "on");
      },
      [](const UpdateOptions& options) {
        return std::string(options.read_only == "on" ? "is read-only" : "is open to its members");
      })
      ->add_option("STATE", read_only->read_only, "on: only moderators and owners post")
      ->required()
      ->check(CLI::IsMember({"on", "off"}));

  auto slow_mode = std::make_shared<UpdateOptions>();
  AddChange(
      noun, run, "slow-mode", "Lets members post once in a while only",
      "  confabctl room slow-mode lobby 10s\n"
      "  confabctl room slow-mode lobby off",
      slow_mode,
      [](const UpdateOptions& options, v1::RoomChanges& changes) {
        uint32_t seconds = 0;
        ParseSlowMode(options.slow_mode, &seconds);
        changes.set_slow_mode_seconds(seconds);
      },
      [](const UpdateOptions& options) {
        return options.slow_mode == "off"
                   ? std::string("is not in slow mode")
                   : fmt::format("lets members post once in {}", options.slow_mode);
      })
      ->add_option("TIME", slow_mode->slow_mode,
                   "Between two messages of a member: 10s, 5m; or off")
      ->required()
      ->check(CLI::Validator(IsSlowMode, ""));
}

}  // namespace confab::ctl
